"""Other people's PyTorch models, asked from outside whether their errors come down through their forward weights.

`audit` puts the question and reports, `replay` runs a model again and again from one state. Only condition (iii) can be asked
here; another intervention on a model may be added. PyTorch is never imported: whoever builds the model has imported it.
"""
