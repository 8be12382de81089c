"""The read-outs: how good the frozen features are, asked with labels that no synapse of the network ever sees.

`features` encodes, `floor` puts each layer beside the untrained network's, `logistic`, `ridge`, `hinge` and `neighbours` are the
classifiers. A classifier may be added: one file with a class that has ``fit(features, labels, classes, team)`` and returns
something with ``predict`` and ``accuracy``, named in `floor`.
"""
