"""The activity of one unit is no number: what it is compared with says nothing, and no rule is accused of it."""

import numpy as np
from lab import Lab, kernel, step

EXPECTED = {"exit": 3, "says": "NaN"}


@kernel(updates="activity", kind="respond")
def lose(activity):
    activity[..., 0] = np.nan


class Museum(Lab):
    def up(self):
        yield from super().up()
        yield step(lose, "a unit is lost", activity=self.learners[-1].post.activity)
