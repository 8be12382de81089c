"""Populations: units of one layer, their stored activity, the error they receive and the factor they pass on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.kernels import units as kernels
from neurosim.kernels.units import NONLINEARITIES as NONLINEARITIES  # networks name them

AXES = ("sample", "row", "column", "channel")


class Units:
    """What populations and heads have in common: an activity of some units for every view in the batch.

    Args:
        number: of the layer; 0 for the image.
        shape: of the activity of one view.
        views: rows of the batch: view 1 of every moment, then view 2 of every moment.
        learning: first row that receives an error: the number of pairs under the gradient block, else 0.
        activity: the stored activity, ``(views, *shape)``.

    Attributes:
        active_part: the activity of the views that learn.
    """

    nonlinearity = "linear"
    pooled = False
    potential: Buffer
    error: Buffer
    post: Buffer

    def __init__(self, number: int, shape: tuple[int, ...], views: int, learning: int, activity: Buffer):
        self.number, self.shape, self.views, self.learning = number, tuple(shape), views, learning
        self.activity = activity
        self.active_part = activity.part(activity.name, learning, views) if learning else activity

    @property
    def size(self) -> int:
        """Units of one view."""
        return int(np.prod(self.shape))

    @property
    def whole(self) -> Units:
        """The units whose activity a head reads here, each by itself."""
        return self

    def over(self, units: Units) -> Units:
        """How a head reads a twin of the same units."""
        return units

    def twin(self, mark: str, role: Role = Role.ACTIVITY) -> Units:
        """Units like these, for the views that learn: another activity of the same layer, inside one segment.

        With the role ``error`` they are restored from above, and nothing is pooled.
        """
        raise NotImplementedError

    def gather(self) -> Iterator[Step]:
        """What comes before a head reads this: nothing, the activity is there."""
        yield from ()

    def spread(self) -> Iterator[Step]:
        """What comes after feedback delivered an error here: nothing, it is where it belongs."""
        yield from ()

    def respond(self) -> Iterator[Step]:
        """``x = phi(u)``."""
        x, u, phi = self.activity, self.potential, self.nonlinearity
        yield from self.inhibit()
        equation = f"{x.name} = {u.name}" if phi == "linear" else f"{x.name} = {phi}({u.name})"
        yield Step(
            kernels.activate,
            f"{x.owner} responds",
            equation,
            {"potential": u, "activity": x},
            scalars={"nonlinearity": phi},
            over="sample",
        )

    @property
    def lateral(self) -> bool:
        """Whether the channels of a place inhibit one another."""
        return NONLINEARITIES[self.nonlinearity].lateral

    def inhibit(self) -> Iterator[Step]:
        """``u = u - mean over channels of u``, where the nonlinearity asks for it."""
        if self.lateral:
            u = self.potential
            equation, arguments = f"{u.name} = {u.name} - mean over channels of {u.name}", {"potential": u}
            yield Step(
                kernels.inhibit, f"channels of {self.activity.owner} inhibit", equation, arguments, over="sample"
            )

    def gate(self) -> Iterator[Step]:
        """``delta = phi'(u) error``."""
        yield Step(
            kernels.gate,
            f"{self.activity.owner} gates its error",
            f"{self.post.name} = {self.slope} . {self.error.name}",
            {"activity": self.active_part, "error": self.error, "post": self.post},
            scalars={"nonlinearity": self.nonlinearity},
            over="sample",
        )
        yield from self.inhibit_factor()

    def inhibit_factor(self) -> Iterator[Step]:
        """``delta = delta - mean over channels of delta``: the same lateral connections, on what was delivered to the units."""
        if self.lateral:
            d, label = self.post, f"factors of {self.activity.owner} inhibit"
            equation, arguments = f"{d.name} = {d.name} - mean over channels of {d.name}", {"post": d}
            yield Step(kernels.inhibit_factor, label, equation, arguments, over="sample")

    @property
    def slope(self) -> str:
        """What the gate multiplies the received error by, phi'(u) in terms of the activity x."""
        return NONLINEARITIES[self.nonlinearity].slope_text.replace("x", self.activity.name)


class Image(Units):
    """The image population: shown from outside; it receives no error.

    Attributes:
        shown: what the stimulus writes.

    Args:
        shape: (row, column, channel).
        views, learning: as for `Units`.
        dtype: of the activities.
    """

    def __init__(self, shape: tuple[int, ...], views: int, learning: int = 0, dtype: Any = np.float32):
        super().__init__(0, shape, views, learning, Buffer("x0", AXES, (views, *shape), Role.ACTIVITY, "image", dtype))
        self.shown = self.activity

    @property
    def learns(self) -> bool:
        """Whether anything learns before the first layer: a retina may."""
        return False

    def learn(self) -> Iterator[Step]:
        """Nothing learns."""
        yield from ()

    def apply_update(self) -> Iterator[Step]:
        """Nothing changes."""
        yield from ()

    def transmit(self) -> Iterator[Step]:
        """From what the stimulus shows to the activity: nothing, they are the same."""
        yield from ()


class Population(Units):
    """Units ``(row, column, channel)`` of one layer, for every view in the batch.

    Parameters:
        ========== ===== ============================= =======================================
        name       unit  math                          default
        ========== ===== ============================= =======================================
        activity   1     x = phi(u)                    0
        potential  1     u = W * x_below               lives within one block
        error      1     what feedback delivers        lives within one block
        post       1     delta = phi'(u) error         lives within one block
        ========== ===== ============================= =======================================

    Args:
        number: 1 for the first layer.
        shape: (row, column, channel) of the activity, after pooling.
        views, learning: as for `Units`.
        nonlinearity: a word of `NONLINEARITIES`.
        dtype: of the activities.
        mark: after the number in every name.
        role: of the activity.
        local: the activity is only needed inside one segment of a plan.
    """

    def __init__(
        self,
        number: int,
        shape: tuple[int, ...],
        views: int,
        learning: int = 0,
        nonlinearity: str = "linear",
        dtype: Any = np.float32,
        mark: str = "",
        role: Role = Role.ACTIVITY,
        local: bool = False,
    ):
        self.nonlinearity = nonlinearity
        owner = f"layer {number}"
        activity = Buffer(f"x{number}{mark}", AXES, (views, *shape), role, owner, dtype, local)
        super().__init__(number, shape, views, learning, activity)
        rows, name = views - learning, f"{number}{mark}"
        axes, place = self._potential_axes()
        self.potential = Buffer(f"u{name}", axes, (views, *place), role, owner, dtype, local=True)
        self.error = Buffer(f"e{name}", AXES, (rows, *shape), Role.ERROR, owner, dtype, local=True)
        self.post = Buffer(f"d{name}", axes, (rows, *place), Role.ERROR, owner, dtype, local=True)

    def _potential_axes(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Axes of the potentials, and sizes of all but the first."""
        return AXES, self.shape

    def twin(self, mark: str, role: Role = Role.ACTIVITY) -> Population:
        kind = type(self) if role is Role.ACTIVITY else Population
        views, dtype = self.views - self.learning, self.activity.dtype
        return kind(self.number, self.shape, views, 0, self.nonlinearity, dtype, mark, role, local=True)


class PooledPopulation(Population):
    """A population behind a 2 x 2 maximum.

    Parameters:
        ========== ===== ============================= =======================================
        name       unit  math                          default
        ========== ===== ============================= =======================================
        activity   1     x = phi(max u)                0
        potential  1     u, (sample, window, ...)      lives within one block
        winner     place argmax of the 2 x 2 window    4: gate closed
        ========== ===== ============================= =======================================

    Args:
        number, shape, views, learning, nonlinearity, dtype, mark, role, local: as for `Population`.
    """

    pooled = True

    def __init__(
        self,
        number: int,
        shape: tuple[int, ...],
        views: int,
        learning: int = 0,
        nonlinearity: str = "linear",
        dtype: Any = np.float32,
        mark: str = "",
        role: Role = Role.ACTIVITY,
        local: bool = False,
    ):
        super().__init__(number, shape, views, learning, nonlinearity, dtype, mark, role, local)
        name, owner = f"winner{number}{mark}", self.activity.owner
        self.winner = Buffer(name, AXES, (views, *shape), Role.GATE, owner, np.uint8, local)
        self.winner_part = self.winner.part(name, learning, views) if learning else self.winner

    def _potential_axes(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        return ("sample", "window", *AXES[1:]), (4, *self.shape)

    def respond(self) -> Iterator[Step]:
        """``x = phi(max over the window of u)``, with the place that won."""
        x, phi = self.activity, self.nonlinearity
        yield from self.inhibit()
        highest = f"max {self.potential.name}"
        equation = f"{x.name} = {highest}" if phi == "linear" else f"{x.name} = {phi}({highest})"
        yield Step(
            kernels.pool,
            f"{x.owner} responds",
            equation,
            {"potential": self.potential, "activity": x, "winner": self.winner},
            scalars={"nonlinearity": phi},
            over="sample",
        )

    def gate(self) -> Iterator[Step]:
        """``delta = phi'(u) error`` at the place that won."""
        yield Step(
            kernels.gate_pooled,
            f"{self.activity.owner} gates its error",
            f"{self.post.name} = {self.slope} . {self.error.name} at the winner",
            {"activity": self.active_part, "winner": self.winner_part, "error": self.error, "post": self.post},
            scalars={"nonlinearity": self.nonlinearity},
            over="sample",
        )
        yield from self.inhibit_factor()
