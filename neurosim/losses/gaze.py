"""Gaze shifts: the contrastive hinge between patches of one picture instead of deformed views (Tang, Yang, Amit 2022)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from neurosim.core.step import Step
from neurosim.kernels.patches import gaze
from neurosim.losses.base import Delta, Grid, Loss, Negatives, Threshold, margins

if TYPE_CHECKING:
    from neurosim.parts.error_units import PatchErrorUnits


class Gaze(Loss):
    """``sum [d(z_anchor, z_ahead) - m+]_+ + sum [m- - d(z_anchor, z_random)]_+``, d the L1 distance.

    The anchor is a patch in row k of the grid, ahead are those in rows k+2.. of its column, random ones are of the batch.

    Parameters:
        ========= ================ ====================================== =======
        name      unit             math                                   default
        ========= ================ ====================================== =======
        grid      patches          G, rows and columns of patches         7
        negatives patches          random patches against each one ahead  1
        threshold activity x units (m+ + m-) / 2                          2
        delta     activity x units (m- - m+) / 2                          1
        ========= ================ ====================================== =======

    Raises:
        WiringError: margins below zero.
    """

    name = "gaze"
    summary = "contrastive hinge between patches of one picture, seen as the gaze shifts"
    patches = True

    def __init__(
        self, grid: Grid = 7, negatives: Negatives = 1, threshold: Threshold = 2.0, delta: Delta = 1.0
    ) -> None:
        self.grid, self.negatives, self.margins = grid, negatives, margins(threshold, delta)

    def wire(self, units: PatchErrorUnits) -> Iterator[Step]:
        z = units.head.activity
        ahead, random = f"sign({z.name}[ahead] - {z.name}[anchor])", f"sign({z.name}[random] - ...)"
        yield Step(
            gaze,
            f"error units {units.head.number} compare",
            f"e = +-{ahead} where too far, -+{random} where too near",
            {"view": z, "negative": units.negative, "error": units.head.error, "value": units.value},
            scalars={"grid": self.grid, "negatives": self.negatives, **self.margins},
        )
