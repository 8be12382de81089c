"""Populations: units of one layer, their stored activity, the error they receive and the factor they pass on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.plan import Step

# What the gate multiplies the received error by, phi'(u) in terms of the activity x.
GATES = {"hardtanh": "(|x| < 1)", "tanh": "(1 - x^2)", "linear": "1"}


class Population:
    """Units ``(row, column, channel)`` of one layer, for every view in the batch.

    Parameters:
        ========== ===== ============================= =======================================
        name       unit  math                          default
        ========== ===== ============================= =======================================
        activity   1     x = phi(u) or phi(max u)      0
        potential  1     u = W * x_below               lives within one block
        winner     place argmax of the 2 x 2 window    only where pooled; 4: gate closed
        error      1     what feedback delivers        lives within one block
        post       1     delta = phi'(u) error         lives within one block
        ========== ===== ============================= =======================================

    Args:
        number: 0 for the image, 1 for the first layer.
        shape: (row, column, channel) of the activity, after pooling.
        views: rows of the batch: view 1 of every moment, then view 2 of every moment.
        learning: first row that receives an error: the number of pairs under the gradient block, else 0.
        nonlinearity: hardtanh, tanh or linear.
        pooled: whether a 2 x 2 maximum comes before the nonlinearity.
        dtype: of the activities.
        mark: after the number in every name. role: of the activity.
        local: the activity is only needed inside one segment of a plan.
    """

    def __init__(self, number, shape, views, learning=0, nonlinearity="linear", pooled=False, dtype=np.float32,
                 mark="", role="activity", local=False):  # fmt: skip
        self.number, self.shape, self.nonlinearity, self.pooled = number, tuple(shape), nonlinearity, pooled
        self.learning, self.views = learning, views
        owner, axes, rows = f"layer {number}" if number else "image", ("sample", "row", "column", "channel"), shape
        self.activity = Buffer(f"x{number}{mark}", axes, (views, *rows), role, owner, dtype, local)
        self.active_part = self.activity.part(self.activity.name, learning, views) if learning else self.activity
        if not number:
            return
        above, window = (views - learning, *rows), ("sample", "window", *axes[1:])
        spread, place = ((window, lambda s: (s[0], 4, *s[1:])) if pooled else (axes, lambda s: s))
        number = f"{number}{mark}"
        self.potential = Buffer(f"u{number}", spread, place((views, *rows)), role, owner, dtype, local=True)
        self.error = Buffer(f"e{number}", axes, above, "error", owner, dtype, local=True)
        self.post = Buffer(f"d{number}", spread, place(above), "error", owner, dtype, local=True)
        if pooled:
            self.winner = Buffer(f"winner{number}", axes, (views, *rows), "gate", owner, np.uint8, local)
            self.winner_part = self.winner.part(self.winner.name, learning, views) if learning else self.winner

    @property
    def size(self) -> int:
        """Units."""
        return int(np.prod(self.shape))

    def twin(self, mark: str, role: str = "activity") -> Population:
        """Units like these, for the views that learn: another activity of the same layer, inside one segment.

        With the role ``error`` they are restored from above, and nothing is pooled.
        """
        return Population(self.number, self.shape, self.views - self.learning, 0, self.nonlinearity,
                          self.pooled and role == "activity", self.activity.dtype, mark, role, local=True)  # fmt: skip

    @property
    def whole(self) -> Population:
        """The units whose activity a head reads here, each by itself."""
        return self

    def over(self, units: Population) -> Population:
        """How a head reads a twin of the same units."""
        return units

    def gather(self) -> Iterator[Step]:
        """What comes before a head reads this: nothing, the activity is there."""
        yield from ()

    def spread(self) -> Iterator[Step]:
        """What comes after feedback delivered an error here: nothing, it is where it belongs."""
        yield from ()

    def respond(self) -> Iterator[Step]:
        """``x = phi(u)``, or ``x = phi(max over the window of u)`` with the place that won."""
        reads, writes = {"potential": self.potential}, {"activity": self.activity}
        phi, kernel, x, u = self.nonlinearity, "activate", self.activity.name, self.potential.name
        if self.pooled:
            writes["winner"] = self.winner
            kernel, u = "pool", f"max {u}"
        equation = f"{x} = {u}" if phi == "linear" else f"{x} = {phi}({u})"
        yield Step(kernel, f"{self.activity.owner} responds", equation, reads, writes, scalars={"nonlinearity": phi},
                   over="sample")  # fmt: skip

    def gate(self) -> Iterator[Step]:
        """``delta = phi'(u) error``, at the place that won where the layer is pooled."""
        reads, kernel = {"activity": self.active_part, "error": self.error}, "gate"
        where = ""
        if self.pooled:
            reads["winner"], kernel, where = self.winner_part, "gate_pooled", " at the winner"
        slope = GATES[self.nonlinearity].replace("x", self.activity.name)
        equation = f"{self.post.name} = {slope} . {self.error.name}{where}"
        yield Step(kernel, f"{self.activity.owner} gates its error", equation, reads, {"post": self.post},
                   scalars={"nonlinearity": self.nonlinearity}, over="sample")  # fmt: skip


class Head(Population):
    """The units that a layer's activity is read into for the comparison: one vector a view, linear unless told otherwise.

    Args:
        number: of the layer it reads.
        units: D.
        views, learning, dtype, nonlinearity, mark, local: as for `Population`.
    """

    def __init__(self, number, units, views, learning, dtype, nonlinearity="linear", mark="", local=False):
        self.number, self.shape, self.learning, self.views = number, (units,), learning, views
        self.nonlinearity, self.pooled = nonlinearity, False
        owner, axes, above, name = f"head {number}", ("sample", "unit"), (views - learning, units), f"{number}{mark}"
        self.activity = Buffer(f"z{name}", axes, (views, units), "activity", owner, dtype, local)
        self.active_part = self.activity.part(self.activity.name, learning, views) if learning else self.activity
        self.error = Buffer(f"ez{name}", axes, above, "error", owner, dtype)
        self.potential, self.post = self.activity, self.error  # of linear units: the gate is 1
        if nonlinearity != "linear":
            self.potential = Buffer(f"uz{name}", axes, (views, units), "activity", owner, dtype, local=True)
            self.post = Buffer(f"dz{name}", axes, above, "error", owner, dtype)

    def twin(self, mark, role="activity") -> Head:
        return Head(self.number, self.shape[0], self.views - self.learning, 0, self.activity.dtype, self.nonlinearity,
                    mark, local=True)  # fmt: skip

    def respond(self) -> Iterator[Step]:
        if self.nonlinearity != "linear":
            yield from super().respond()

    def gate(self) -> Iterator[Step]:
        if self.nonlinearity != "linear":
            yield from super().gate()
