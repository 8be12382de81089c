"""The layer's activity and error are given to this file's own kernels as flat views: one vector a view."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 0, "grade": "strictly local"}


@kernel(reads={"activity": "sample unit", "weight": "unit top"}, writes={"top": "sample top"}, kind="transmit")
def read(activity, weight, top):
    top[...] = activity @ weight


@kernel(updates={"error": "sample unit"}, reads={"activity": "sample unit"}, kind="gate")
def close(activity, error):
    error *= np.abs(activity) < 0.9


class Museum(HeadOnly):
    def wire(self, phase):
        for each in super().wire(phase):
            if each.kernel.name == "dense":
                x, z = self.layer.post.activity.flat(), self.head.post.activity
                yield step(read, "the head reads", activity=x, weight=self.head.synapse.weight, top=z)
            else:
                yield each
            if each.kernel.name == "deliver_dense":
                x, e = self.layer.post.active_part.flat(), self.layer.post.error.flat()
                yield step(close, "closed where saturated", activity=x, error=e)
