"""Error units: where the two views' activities are compared; each loss says how."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.buffer import Buffer
from neurosim.parts.memory import ShortTermMemory
from neurosim.parts.population import Head
from neurosim.plan import Step


class ErrorUnits:
    """The comparison at one head: view 1 of N moments, view 2 of the same moments, and the memory of earlier ones.

    Args:
        head: whose activity is compared, ``(2 x pairs, D)``: view 1 of every moment, then view 2.
        loss: from `neurosim.losses`, which wires the comparison.

    Attributes:
        view1, view2: ``(pairs, D)`` each, parts of the head's activity.
        error1, error2: ``(pairs, D)``; under the gradient block error1 is None unless a loss asks for `unheard`.
        value: float64 ``(3,)``: the loss, the active comparisons, all comparisons of the last batch.
        memory: `ShortTermMemory` of view 1, or None.
    """

    def __init__(self, head: Head, loss):
        pairs, number = head.views // 2, head.number
        self.head, self.loss, self.pairs = head, loss, pairs
        self.view1 = head.activity.part(f"z{number}[1]", 0, pairs, "moment_stored")
        self.view2 = head.activity.part(f"z{number}[2]", pairs, 2 * pairs, "moment")
        blocked = head.learning > 0
        self.error1 = None if blocked else head.error.part(f"ez{number}[1]", 0, pairs, "moment_stored")
        self.error2 = head.error.part(f"ez{number}[2]", 0 if blocked else pairs, head.error.shape[0], "moment")
        self.value = Buffer(f"value{number}", ("figure",), (3,), "value", f"error units {number}", np.float64)
        self.index = Buffer(f"moments{number}", ("moment",), (pairs,), "value", f"error units {number}", np.int64,
                            initial=np.arange(pairs))  # fmt: skip
        self.memory = None
        if loss.lags:
            self.memory = ShortTermMemory(f"M{number}", pairs + loss.lags - 1, head.shape[0], head.activity.dtype)

    def unheard(self) -> Buffer:
        """An array for view 1's error where the gradient block keeps it from reaching anything."""
        return Buffer(f"unheard{self.head.number}", ("moment_stored", "unit"), self.view1.shape, "error",
                      f"error units {self.head.number}", self.view1.dtype)  # fmt: skip

    def compare(self) -> Iterator[Step]:
        """Store view 1, compare view 2, leave the error of every learning view in the head's error buffer."""
        yield from self.loss.wire(self)
