"""Heads: the units that a layer's activity is read into for the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.parts.population import Units


class Head(Units):
    """The linear units that a layer's activity is read into for the comparison: one vector a view.

    The potential of linear units is their activity, and their gate is 1.

    Args:
        number: of the layer it reads.
        units: D.
        views, learning: as for `Units`.
        dtype: of the activities.
        mark, local: as for `Population`.
    """

    axes = ("sample", "unit")

    def __init__(
        self, number: int, units: int, views: int, learning: int, dtype: Any, mark: str = "", local: bool = False
    ):
        owner, name = f"head {number}", f"{number}{mark}"
        activity = Buffer(f"z{name}", self.axes, (views, units), Role.ACTIVITY, owner, dtype, local)
        super().__init__(number, (units,), views, learning, activity)
        self.error = Buffer(f"ez{name}", self.axes, (views - learning, units), Role.ERROR, owner, dtype)
        self.potential, self.post = self.activity, self.error

    def twin(self, mark: str, role: Role = Role.ACTIVITY) -> Head:
        return Head(
            self.number, self.shape[0], self.views - self.learning, 0, self.activity.dtype, mark=mark, local=True
        )

    def respond(self) -> Iterator[Step]:
        """Nothing: the potential is the activity."""
        yield from ()

    def gate(self) -> Iterator[Step]:
        """Nothing: the gate is 1."""
        yield from ()


class NonlinearHead(Head):
    """A head whose units answer by a nonlinearity.

    Args:
        number, units, views, learning, dtype, mark, local: as for `Head`.
        nonlinearity: hardtanh or tanh.
    """

    def __init__(
        self,
        number: int,
        units: int,
        views: int,
        learning: int,
        dtype: Any,
        nonlinearity: str,
        mark: str = "",
        local: bool = False,
    ):
        super().__init__(number, units, views, learning, dtype, mark, local)
        self.nonlinearity = nonlinearity
        owner, name = self.activity.owner, f"{number}{mark}"
        self.potential = Buffer(f"uz{name}", self.axes, (views, units), Role.ACTIVITY, owner, dtype, local=True)
        self.post = Buffer(f"dz{name}", self.axes, (views - learning, units), Role.ERROR, owner, dtype)

    def twin(self, mark: str, role: Role = Role.ACTIVITY) -> NonlinearHead:
        views, dtype = self.views - self.learning, self.activity.dtype
        return NonlinearHead(self.number, self.shape[0], views, 0, dtype, self.nonlinearity, mark, local=True)

    respond, gate = Units.respond, Units.gate
