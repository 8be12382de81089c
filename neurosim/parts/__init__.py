"""What networks and rules are put together from.

Populations, synapses, projections, feedback, inverse paths, error units, the short-term memory, the stimulus. A part owns
buffers and gives steps; it computes nothing.

What may be added: a part, in a file of its own. Only `transported` may borrow a forward weight for feedback.
"""
