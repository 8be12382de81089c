"""rf: end to end with fixed random feedback weights."""

from neurosim.rules.end_to_end import EndToEnd


class RandomFeedback(EndToEnd):
    """``e_l = B_{l+1}^T delta_{l+1}``, B random and never changed (feedback alignment, Lillicrap et al. 2016)."""

    name = "rf"
    summary = "end to end with fixed random feedback weights"
    feedback = "rf"
