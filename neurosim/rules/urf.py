"""urf: end to end with random feedback weights that learn by their own outer products."""

from neurosim.rules.end_to_end import EndToEnd


class UpdatedRandomFeedback(EndToEnd):
    """``e_l = B_{l+1}^T delta_{l+1}``, B drawn independently of W, then learned (Amit 2019)."""

    name = "urf"
    summary = "end to end with random feedback weights that learn by their own outer products"
    feedback = "urf"
