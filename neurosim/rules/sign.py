"""sign: end to end with the signs of learned feedback weights."""

from neurosim.rules.end_to_end import EndToEnd


class SignOfFeedback(EndToEnd):
    """``e_l = s sign(B_{l+1})^T delta_{l+1}``, B as in urf, ``s = 1/sqrt(fan in)``."""

    name = "sign"
    summary = "end to end with the signs of learned feedback weights"
    feedback = "sign"
