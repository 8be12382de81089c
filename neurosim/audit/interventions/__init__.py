"""The conditions answered by intervention: replace one thing, hold the activities, run the rest again, compare bits.

`bench` runs the steps of a rule one by one, records what they leave and runs them again with something replaced. Everything
else here asks it a question: `transport` replaces weights, `behaviour` labels, undeclared memory and activities at the error
units, `locality` moments and single units; `products` recomputes single synapses by hand. Another intervention may be added
as a method or a file that takes a bench and adds to an `Evidence`.
"""
