"""Error units: where the two views' activities are compared; each loss says how."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.core.buffer import Buffer, View
from neurosim.core.step import Step
from neurosim.errors import ShapeError, WiringError
from neurosim.parts.memory import ShortTermMemory
from neurosim.parts.plasticity import Plasticity
from neurosim.parts.population import Head
from neurosim.parts.synapse import Synapse


class ErrorUnits:
    """The comparison at one head: view 1 of N moments, view 2 of the same moments, and the memory of earlier ones.

    Args:
        head: whose activity is compared, ``(2 x pairs, D)``: view 1 of every moment, then view 2.
        loss: from `neurosim.losses`, which wires the comparison.
        plasticity, seed: of the synapses that some losses have.

    Attributes:
        view1, view2: ``(pairs, D)`` each, parts of the head's activity.
        error1, error2: ``(pairs, D)``; under the gradient block error1 is None unless a loss asks for `unheard`.
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

    def __init__(self, head: Head, loss, plasticity: Plasticity | None = None, seed: int = 0):
        pairs, number = head.views // 2, head.number
        self.head, self.loss, self.pairs = head, loss, pairs
        self.value = Buffer(f"value{number}", ("figure",), (3,), "value", f"error units {number}", np.float64)
        self.memory = self.negative = self.predictor = None
        if loss.patches:
            self._look_at_patches(plasticity or Plasticity(), seed)
            return
        self.view1 = head.activity.part(f"z{number}[1]", 0, pairs, "moment_stored")
        self.view2 = head.activity.part(f"z{number}[2]", pairs, 2 * pairs, "moment")
        blocked = head.learning > 0
        self.error1 = None if blocked else head.error.part(f"ez{number}[1]", 0, pairs, "moment_stored")
        self.error2 = head.error.part(f"ez{number}[2]", 0 if blocked else pairs, head.error.shape[0], "moment")
        self.index = Buffer(f"moments{number}", ("moment",), (pairs,), "value", f"error units {number}", np.int64,
                            initial=np.arange(pairs))  # fmt: skip
        if loss.lags:
            self.memory = ShortTermMemory(f"M{number}", pairs + loss.lags - 1, head.shape[0], head.activity.dtype)

    def _look_at_patches(self, plasticity: Plasticity, seed: int) -> None:
        head, loss, owner = self.head, self.loss, f"error units {self.head.number}"
        grid, number, units = loss.grid, head.number, head.shape[0]
        pictures = head.views // grid**2
        if head.learning:
            raise WiringError(f"a gradient block with --loss {loss.name}", "patches, all of which learn", "write --no-block")
        if pictures * grid**2 != head.views:
            raise ShapeError(f"{head.views} patches in grids of {grid} x {grid}", f"a multiple of {grid**2}", "check --patch")
        size = sum(pictures * (grid - k - 2) * loss.negatives * grid for k in range(grid - 2))
        self.negative = Buffer(f"random patches{number}", ("comparison",), (size,), "value", owner, np.int64)
        if not loss.predicts:
            return
        axes = ("sample", "place", "unit")
        self.activity, self.error = (View(b, b.name, axes, (head.views, 1, units)) for b in (head.activity, head.error))
        self.predictor = Synapse(f"P{number}", (grid - 2, units, units), "prediction weight", [seed, ord("P"), number],
                                 plasticity, head.activity.dtype)  # fmt: skip
        axes, shape = ("row", "picture", "column", "place", "unit"), (grid - 2, pictures, grid, 1, units)
        self.prediction = Buffer(f"p{number}", axes, shape, "activity", owner, head.activity.dtype)
        self.factor = Buffer(f"ep{number}", axes, shape, "error", owner, head.activity.dtype)

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

    def discarded_error(self) -> Buffer:
        """An array for view 1's error where the gradient block keeps it from reaching anything."""
        return Buffer(f"unheard{self.head.number}", ("moment_stored", "unit"), self.view1.shape, "error",
                      f"error units {self.head.number}", self.view1.dtype)  # fmt: skip

    def compare(self) -> Iterator[Step]:
        """Store view 1, compare view 2, leave the error of every learning view in the head's error buffer."""
        yield from self.loss.wire(self)
