"""An own error of sums and signs, beside the rule, as the guide writes it. Innocent."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 0, "grade": "strictly local"}


@kernel(reads="view1 view2", writes="error", sums="value", kind="compare")
def nearer(view1, view2, error, value):
    error[...] = np.sign(view2 - view1)
    value += (np.abs(view2 - view1).sum(), len(error), len(error))


class Museum(HeadOnly):
    def compare(self):
        units = self.error
        given = {"view1": units.view1, "view2": units.view2, "error": units.error2, "value": units.value}
        yield step(nearer, "compared", **given)
