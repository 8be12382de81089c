"""bp: end to end with transported weights: the reference, not plausible."""

from neurosim.rules.end_to_end import EndToEnd


class BackPropagation(EndToEnd):
    """``e_l = W_{l+1}^T delta_{l+1}``: back-propagation, the forward weights transposed."""

    name = "bp"
    summary = "end to end with transported weights: the reference, not plausible"
    feedback = "bp"
