"""Error units: where activities are compared; each loss says how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.buffer import Buffer, View
from neurosim.core.roles import Role
from neurosim.errors import ShapeError, WiringError
from neurosim.parts.memory import ShortTermMemory
from neurosim.parts.synapse import Synapse

if TYPE_CHECKING:
    from neurosim.core.step import Step
    from neurosim.losses.base import Loss
    from neurosim.parts.population import Units
    from neurosim.plasticity.base import Plasticity


class ErrorUnits:
    """The comparison at one head; make one by `error_units`.

    Args:
        head: whose activity is compared.
        loss: from `neurosim.losses`, which wires the comparison.

    Attributes:
        value: float64 ``(3,)``: the loss, the active comparisons, all comparisons of the last batch.
        synapses: those of the loss's own.
        label: of every moment, where the loss is supervised; else None.
    """

    def __init__(self, head: Units, loss: Loss):
        self.head, self.loss, self.owner = head, loss, f"error units {head.number}"
        self.value = Buffer(f"value{head.number}", ("figure",), (3,), Role.VALUE, self.owner, np.float64)
        self.synapses: list[Synapse] = []
        self.label: Buffer | None = None

    @property
    def memory(self) -> ShortTermMemory | None:
        """What earlier moments left, where the loss compares with them."""
        return None

    def draw(self, rng: np.random.Generator) -> None:
        """Draw what the next batch needs: nothing where two views are compared."""

    def apply_update(self) -> Iterator[Step]:
        """The lasting change of the loss's own synapses."""
        for synapse in self.synapses:
            yield from synapse.consolidate()

    def compare(self) -> Iterator[Step]:
        """Compare, and leave the error of every learning view in the head's error buffer."""
        yield from self.loss.wire(self)


class ViewErrorUnits(ErrorUnits):
    """View 1 of N moments, view 2 of the same moments, and the memory of earlier ones.

    Args:
        head: ``(2 x pairs, D)``: view 1 of every moment, then view 2.
        loss: as for `ErrorUnits`.

    Attributes:
        view1, view2: ``(pairs, D)`` each, parts of the head's activity.
        error1, error2: ``(pairs, D)``; under the gradient block error1 is None.
        index: int64 ``(pairs,)``, the number of every moment in the batch.
        label: int64 ``(pairs,)``, of every moment's picture, where the loss is supervised.
    """

    def __init__(self, head: Units, loss: Loss):
        super().__init__(head, loss)
        pairs, number = head.views // 2, head.number
        self.pairs = pairs
        self.view1 = head.activity.part(f"z{number}[1]", 0, pairs, "moment_stored")
        self.view2 = head.activity.part(f"z{number}[2]", pairs, 2 * pairs, "moment")
        blocked = head.learning > 0
        self.error1 = None if blocked else head.error.part(f"ez{number}[1]", 0, pairs, "moment_stored")
        self.error2 = head.error.part(f"ez{number}[2]", 0 if blocked else pairs, head.error.shape[0], "moment")
        moments = np.arange(pairs)
        self.index = Buffer(
            f"moments{number}", ("moment",), (pairs,), Role.VALUE, self.owner, np.int64, given=True, initial=moments
        )
        if loss.labels:
            axes, shape = ("moment",), (pairs,)
            self.label = Buffer(f"labels{number}", axes, shape, Role.LABEL, self.owner, np.int64, given=True)
        units, dtype = head.shape[0], head.activity.dtype
        self._memory = ShortTermMemory(f"M{number}", pairs + loss.lags - 1, units, dtype) if loss.lags else None

    @property
    def memory(self) -> ShortTermMemory | None:
        return self._memory


class PatchErrorUnits(ErrorUnits):
    """Patches of one picture against the patches ahead, and against random ones of the batch.

    Args:
        head: ``(pictures x grid^2, D)``: the patches of every picture, row by row.
        loss: as for `ErrorUnits`; with a grid and negatives.

    Attributes:
        pictures: how many.
        negative: int64, the random patches of the batch that each patch ahead comes with.

    Raises:
        ShapeError: rows that are no whole number of pictures.
        WiringError: patches under a gradient block.
    """

    def __init__(self, head: Units, loss: Loss):
        super().__init__(head, loss)
        grid = loss.grid
        self.pictures = head.views // grid**2
        if head.learning:
            raise WiringError(
                f"a gradient block with loss {loss.name}", "patches, all of which learn", "write block=False"
            )
        if self.pictures * grid**2 != head.views:
            raise ShapeError(
                f"{head.views} patches in grids of {grid} x {grid}", f"a multiple of {grid**2}", "check patch"
            )
        size = sum(self.pictures * (grid - k - 2) * loss.negatives * grid for k in range(grid - 2))
        name = f"random patches{head.number}"
        self.negative = Buffer(name, ("comparison",), (size,), Role.VALUE, self.owner, np.int64, given=True)

    def draw(self, rng: np.random.Generator) -> None:
        """Draw the random patches of the next batch."""
        self.negative.put(rng.integers(0, self.head.views, self.negative.shape))


class PredictingErrorUnits(PatchErrorUnits):
    """Patches that predict the patches ahead, by synapses of the loss's own.

    Args:
        head, loss: as for `PatchErrorUnits`.
        plasticity: of the synapses.
        seed: of their initial weights.

    Attributes:
        activity, error: ``(patches, 1, D)``, the head's.
        predictor: the `Synapse` ``(grid - 2, D, D)``.
        prediction, factor: ``(grid - 2, pictures, grid, 1, D)``, what it predicts, and the derivative by that.
    """

    def __init__(self, head: Units, loss: Loss, plasticity: Plasticity, seed: Sequence[int]):
        super().__init__(head, loss)
        number, grid, units, real = head.number, loss.grid, head.shape[0], head.activity.dtype
        places, shape = ("sample", "place", "unit"), (head.views, 1, units)
        self.activity, self.error = (View(b, b.name, places, shape) for b in (head.activity, head.error))
        sizes = (grid - 2, units, units)
        self.predictor = Synapse(f"P{number}", sizes, Role.PREDICTION_WEIGHT, seed, plasticity, real)
        self.synapses = [self.predictor]
        axes, predicted = ("row", "picture", "column", "place", "unit"), (grid - 2, self.pictures, grid, 1, units)
        self.prediction = Buffer(f"p{number}", axes, predicted, Role.ACTIVITY, self.owner, real)
        self.factor = Buffer(f"ep{number}", axes, predicted, Role.ERROR, self.owner, real)


def error_units(head: Units, loss: Loss, plasticity: Plasticity | None = None, seed: int = 0) -> ErrorUnits:
    """The error units at a head that a loss asks for.

    Args:
        head: whose activity is compared.
        loss: from `neurosim.losses`.
        plasticity, seed: of the synapses that some losses have.

    Raises:
        ShapeError: rows that are no whole number of pictures.
        WiringError: patches under a gradient block, or no plasticity for synapses that learn.
    """
    if not loss.patches:
        return ViewErrorUnits(head, loss)
    if not loss.predicts:
        return PatchErrorUnits(head, loss)
    if plasticity is None:
        raise WiringError(
            f"loss {loss.name} without a plasticity", "one for its synapses", "give error_units a plasticity"
        )
    return PredictingErrorUnits(head, loss, plasticity, [seed, ord("P"), head.number])
