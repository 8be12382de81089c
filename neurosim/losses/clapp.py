"""CLAPP: what a patch predicts of the patches ahead (Illing et al., NeurIPS 2021); its predictions are synapses that learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from neurosim.core.step import Step
from neurosim.kernels.patches import clapp, deliver_prediction, hebbian_prediction, predict
from neurosim.losses.base import Grid, Loss, Negatives

if TYPE_CHECKING:
    from neurosim.parts.error_units import PredictingErrorUnits


class Clapp(Loss):
    """``sum_k mean [1 - <z_ahead, P_k z_anchor>]_+ + mean [1 + <z_random, P_k z_anchor>]_+``.

    The anchor is a patch in row k of the grid, ahead are those in rows k+2.. of its column, random ones are of the batch.
    Every ``P_k`` changes by its own outer products. Scores are inner products of activities (condition ii is broken), and
    the anchors' error comes through the transposed ``P_k`` (condition iii is broken there): the published form.

    Parameters:
        ========= ======= ====================================== =======
        name      unit    math                                   default
        ========= ======= ====================================== =======
        grid      patches G, rows and columns of patches         7
        negatives patches random patches against each one ahead  1
        ========= ======= ====================================== =======
    """

    name = "clapp"
    summary = "CLAPP: patches predict patches ahead; multiplies activities, so it is not plausible; a reference"
    patches = True
    predicts = True

    def __init__(self, grid: Grid = 7, negatives: Negatives = 1) -> None:
        self.grid, self.negatives = grid, negatives

    def wire(self, units: PredictingErrorUnits) -> Iterator[Step]:
        z, e, p, q = units.activity, units.error, units.prediction, units.factor
        synapse, number, grid = units.predictor, units.head.number, {"grid": self.grid}
        yield Step(
            predict,
            f"{synapse.name}: {z.name} -> {p.name}",
            f"{p.name}[k] = {synapse.name}[k] {z.name}[row k]",
            {"view": z, "weight": synapse.weight, "prediction": p},
            scalars=grid,
        )
        yield Step(
            clapp,
            f"error units {number} compare",
            f"{e.name} = -{p.name} ahead, +{p.name} if random; {q.name} = -{z.name} ahead, +{z.name} random; in the margin",
            {"view": z, "prediction": p, "negative": units.negative, "error": e, "factor": q, "value": units.value},
            scalars={**grid, "negatives": self.negatives},
        )
        yield Step(
            deliver_prediction,
            f"{synapse.name}: {q.name} -> {e.name}",
            f"{e.name}[row k] += {synapse.name}[k]^T {q.name}[k]",
            {"factor": q, "weight": synapse.weight, "error": e},
            scalars=grid,
        )
        yield Step(
            hebbian_prediction,
            f"{synapse.name} sums its outer products",
            f"{synapse.change.name}[k] = sum {z.name}[row k] (x) {q.name}[k]",
            {"view": z, "factor": q, "change": synapse.change},
            scalars=grid,
        )
