"""What several seeds of one configuration found, from their folders: a table and results.json of all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import RunError
from neurosim.readout.results import READ_OUTS, unpacked
from neurosim.readout.spread import LEAST, Difference, Spread, corrected
from neurosim.training.folder import Run

if TYPE_CHECKING:
    from neurosim.core.typing import Array

Results = dict[str, Any]  # as results.json of a run has them
SIDES = {"trained": "test_accuracy", "floor": "floor_accuracy", "difference": "difference"}


@dataclass(frozen=True)
class Arm:
    """A run, or one run of each of several seeds: what is compared.

    Args:
        name: of its folder.
        runs: seed -> its run, read out.
    """

    name: str
    runs: dict[int, Run]

    @classmethod
    def read(cls, folder: Path) -> Arm:
        """From a folder of a run, or of several seeds.

        Raises:
            RunError: neither is there, or nothing is read out.
        """
        if (folder / "config.json").is_file():
            return cls.of(str(folder), [folder])
        below = [path.parent for path in sorted(folder.glob("seed-*/results.json"))]
        if not below:
            raise RunError(
                f"{folder} holds no run that is read out",
                "the folder of a run, or of train --seeds",
                "give the folder after --out",
            )
        return cls.of(str(folder), below)

    @classmethod
    def of(cls, name: str, folders: Sequence[Path]) -> Arm:
        """From the folders of its runs.

        Raises:
            RunError: a run that is not read out.
        """
        runs = [Run.open(folder) for folder in folders]
        for run in runs:
            if run.results() is None:
                raise RunError(f"{run.folder} is not read out", "a run with results", f"neurosim evaluate {run.folder}")
        return cls(name, dict(sorted((run.config.training.seed, run) for run in runs)))

    @cached_property
    def results(self) -> dict[int, Results]:
        """Seed -> what its results.json says."""
        return {seed: run.results() or {} for seed, run in self.runs.items()}

    @property
    def first(self) -> Results:
        """The results of the first seed."""
        return next(iter(self.results.values()))

    @property
    def seconds(self) -> float:
        """Of training, of all runs together."""
        return float(sum(each["seconds"] for each in self.results.values()))

    @property
    def labelled(self) -> bool:
        """Whether every run could be read out."""
        return all(each.get("curve") for each in self.results.values())

    @property
    def labels(self) -> int:
        """Of the read-out: the largest number."""
        return int(self.first["curve"][-1]["labels"]) if self.labelled else 0

    @property
    def layers(self) -> int:
        """How many are read out."""
        return len(self.first["per_layer"])

    @property
    def headline(self) -> int:
        """The layer that stands for the network, as in a run of one seed."""
        return int(self.first["headline"]["layer"])

    def values(self, layer: int, key: str) -> dict[int, float]:
        """Seed -> a number of a layer with the largest number of labels."""
        return {seed: float(each["curve"][-1]["layers"][layer - 1][key]) for seed, each in self.results.items()}

    def spread(self, layer: int, key: str) -> Spread:
        """Of such a number."""
        return Spread(tuple(self.values(layer, key).values()))

    def right(self, layer: int) -> dict[int, Array] | None:
        """Seed -> whether each test image is right with the largest number of labels; None where a run does not say it."""
        kept = {seed: each.get("right") for seed, each in self.results.items()}
        if not all(kept.values()):
            return None
        return {seed: unpacked(each)[layer - 1] for seed, each in kept.items() if each}

    def test_interval(self, layer: int) -> float:
        """Half the 95 % interval that the number of test images leaves, on average over the runs."""
        return float(np.mean(list(self.values(layer, "test_interval").values())))


def gained(arm: Arm) -> list[Difference]:
    """Of each layer what it is above its floor, over seeds; corrected over the layers."""
    return corrected([Difference(arm.spread(n, "difference").values) for n in range(1, arm.layers + 1)])


def summary(arm: Arm) -> dict[str, Any]:
    """results.json of several seeds: every layer's mean, deviation and interval, and the whole results of every run."""
    runs = [{"seed": seed, "folder": arm.runs[seed].folder.name, **each} for seed, each in arm.results.items()]
    found: dict[str, Any] = {"seeds": list(arm.runs), "test_accuracy": None, "floor_accuracy": None}
    if arm.labelled:
        layers = [
            {
                "layer": number,
                "trained": arm.spread(number, "test_accuracy").to_json(),
                "floor": arm.spread(number, "floor_accuracy").to_json(),
                "difference": difference.to_json(),
                "test_interval": arm.test_interval(number),
            }
            for number, difference in enumerate(gained(arm), 1)
        ]
        headline = layers[arm.headline - 1]
        found |= {
            "test_accuracy": headline["trained"]["mean"],  # type: ignore[index]
            "floor_accuracy": headline["floor"]["mean"],  # type: ignore[index]
            "headline": headline,
            "readout": arm.first["readout"],
            "labels": arm.labels,
            "layers": layers,
        }
    return json.loads(json.dumps({**found, "runs": runs}))  # type: ignore[no-any-return]


def table(arm: Arm) -> Iterator[str]:
    """Lines: every layer over seeds, then what counts."""
    count = len(arm.runs)
    if not arm.labelled:
        yield f"accuracy  none: the images have no labels to read out ({count} seeds)"
        return
    how = f"{READ_OUTS[arm.first['readout']]} read-out, {arm.labels:,} labels"
    yield f"{how}, {count} seed{'s' * (count > 1)}, % of test images: mean ± standard deviation over seeds"
    yield f"{'':9} {'trained':13} {'untrained':13} {'difference ± 95 % interval':28} p by Holm over layers"
    for number, difference in enumerate(gained(arm), 1):
        sides = [shown(arm.spread(number, SIDES[side])) for side in ("trained", "floor")]
        p = "-" if difference.corrected is None else f"{difference.corrected:.3f}"
        yield f"{f'layer {number}':9} {sides[0]:13} {sides[1]:13} {between(difference):28} {p}"
    yield from _counts(arm, gained(arm)[arm.headline - 1])


def _counts(arm: Arm, difference: Difference) -> Iterator[str]:
    layer = arm.headline
    yield f"accuracy  layer {layer} {shown(arm.spread(layer, 'test_accuracy'))}  (mean and standard deviation of the seeds)"
    yield f"floor     layer {layer} {shown(arm.spread(layer, 'floor_accuracy'))}  (the same, untrained: {verdict(difference)})"
    interval = 100 * arm.test_interval(layer)
    yield f"images    ± {interval:.1f} comes from the number of test images, which all seeds share; seeds do not make it smaller"


def shown(spread: Spread, sign: str = "") -> str:
    """Mean and deviation, in %."""
    deviation = "" if spread.deviation is None else f" ± {100 * spread.deviation:.1f}"
    return f"{100 * spread.mean:{sign}.1f}{deviation}"


def between(difference: Difference) -> str:
    """A difference and half its t interval, in points; the interval is left out where nothing is claimed."""
    interval = difference.interval
    return f"{100 * difference.mean:+.1f}" + (" (no interval)" if interval is None else f" ± {100 * interval:.1f}")


def verdict(difference: Difference, noise: Callable[[int], str] = lambda count: f"the noise of {count} seeds") -> str:
    """In words whether a difference is larger than the noise."""
    count = len(difference.values)
    if count < LEAST:
        return (
            f"{between(difference)}; {count} seed{'s' * (count > 1)} claim{'s' * (count == 1)} nothing, {LEAST} would"
        )
    words = "larger than" if difference.claimed else "within"
    return f"{between(difference)}, {words} {noise(count)}"
