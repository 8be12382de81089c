"""What is looked at while a network learns, by observers with copies of their own: measuring changes no bit of a training.

What may be added: a measure, as columns of `observer.Observer.measure`, or another callback of the trainer.
"""
