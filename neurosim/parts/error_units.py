"""Error units: where the two views' activities are compared; each loss says how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.buffer import Buffer, View
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.errors import ShapeError, WiringError
from neurosim.parts.memory import ShortTermMemory
from neurosim.parts.population import Units
from neurosim.parts.synapse import Synapse
from neurosim.plasticity.base import Plasticity
from neurosim.plasticity.signum import Signum

if TYPE_CHECKING:
    from neurosim.losses.base import Loss


class ErrorUnits:
    """The comparison at one head: view 1 of N moments, view 2 of the same moments, and the memory of earlier ones.

    Args:
        head: whose activity is compared, ``(2 x pairs, D)``: view 1 of every moment, then view 2.
        loss: from `neurosim.losses`, which wires the comparison.
        plasticity, seed: of the synapses that some losses have.

    Attributes:
        view1, view2: ``(pairs, D)`` each, parts of the head's activity.
        error1, error2: ``(pairs, D)``; under the gradient block error1 is None.
        value: float64 ``(3,)``: the loss, the active comparisons, all comparisons of the last batch.
        memory: `ShortTermMemory` of view 1, or None.

    Where patches of one picture are compared there are no two views; instead:

    Attributes:
        negative: int64, the random patches of the batch that each patch ahead comes with.
        activity, error: ``(patches, 1, D)``, the head's.
        predictor: the `Synapse` ``(grid - 2, D, D)`` of a loss that predicts.
        prediction, factor: ``(grid - 2, pictures, grid, 1, D)``, what it predicts, and the derivative by that.

    Raises:
        ShapeError: rows that are no whole number of pictures.
        WiringError: patches under a gradient block.
    """

    error1: Buffer | None
    memory: ShortTermMemory | None = None
    negative: Buffer | None = None
    predictor: Synapse | None = None

    def __init__(self, head: Units, loss: Loss, plasticity: Plasticity | None = None, seed: int = 0):
        pairs, number = head.views // 2, head.number
        self.head, self.loss, self.pairs = head, loss, pairs
        self.owner = f"error units {number}"
        self.value = Buffer(f"value{number}", ("figure",), (3,), Role.VALUE, self.owner, np.float64)
        if loss.patches:
            self._of_patches(plasticity or Signum(), seed)
            return
        self.view1 = head.activity.part(f"z{number}[1]", 0, pairs, "moment_stored")
        self.view2 = head.activity.part(f"z{number}[2]", pairs, 2 * pairs, "moment")
        blocked = head.learning > 0
        self.error1 = None if blocked else head.error.part(f"ez{number}[1]", 0, pairs, "moment_stored")
        self.error2 = head.error.part(f"ez{number}[2]", 0 if blocked else pairs, head.error.shape[0], "moment")
        moments = np.arange(pairs)
        self.index = Buffer(
            f"moments{number}", ("moment",), (pairs,), Role.VALUE, self.owner, np.int64, given=True, initial=moments
        )
        if loss.lags:
            self.memory = ShortTermMemory(f"M{number}", pairs + loss.lags - 1, head.shape[0], head.activity.dtype)

    def _of_patches(self, plasticity: Plasticity, seed: int) -> None:
        head, loss, number = self.head, self.loss, self.head.number
        grid = loss.grid
        pictures = head.views // grid**2
        if head.learning:
            raise WiringError(f"a gradient block with loss {loss.name}", "patches, all of which learn", "write block=False")
        if pictures * grid**2 != head.views:
            raise ShapeError(f"{head.views} patches in grids of {grid} x {grid}", f"a multiple of {grid**2}", "check patch")
        size = sum(pictures * (grid - k - 2) * loss.negatives * grid for k in range(grid - 2))
        name = f"random patches{number}"
        self.negative = Buffer(name, ("comparison",), (size,), Role.VALUE, self.owner, np.int64, given=True)
        if loss.predicts:
            self._predict(pictures, plasticity, [seed, ord("P"), number])

    def _predict(self, pictures: int, plasticity: Plasticity, seed: list[int]) -> None:
        """What a loss needs that predicts patches: synapses, and their postsynaptic activity and error."""
        head, number, grid, units = self.head, self.head.number, self.loss.grid, self.head.shape[0]
        real, role = head.activity.dtype, Role.PREDICTION_WEIGHT
        places, shape = ("sample", "place", "unit"), (head.views, 1, units)
        self.activity, self.error = (View(b, b.name, places, shape) for b in (head.activity, head.error))
        self.predictor = Synapse(f"P{number}", (grid - 2, units, units), role, seed, plasticity, real)
        axes, shape = ("row", "picture", "column", "place", "unit"), (grid - 2, pictures, grid, 1, units)
        self.prediction = Buffer(f"p{number}", axes, shape, Role.ACTIVITY, self.owner, real)
        self.factor = Buffer(f"ep{number}", axes, shape, Role.ERROR, self.owner, real)

    def draw(self, rng: np.random.Generator) -> None:
        """Draw the random patches of the next batch; nothing where two views are compared."""
        if self.negative is not None:
            self.negative.put(rng.integers(0, self.head.views, self.negative.shape))

    @property
    def synapses(self) -> list[Synapse]:
        """Those of the loss's own."""
        return [self.predictor] if self.predictor else []

    def apply_update(self) -> Iterator[Step]:
        """The lasting change of the loss's own synapses."""
        for synapse in self.synapses:
            yield from synapse.consolidate()

    def compare(self) -> Iterator[Step]:
        """Store view 1, compare view 2, leave the error of every learning view in the head's error buffer."""
        yield from self.loss.wire(self)
