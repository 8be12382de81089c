"""Runs side by side: settings that differ, cost, audit, read-outs, and differences paired by seed with what noise there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neurosim.readout.results import READ_OUTS, Estimate
from neurosim.readout.spread import LEAST, Difference, corrected
from neurosim.report.seeds import Arm, between, shown, verdict
from neurosim.training.callbacks import span
from neurosim.training.folder import Run

APART = ("seed", "threads", "data_dir")  # settings that are not compared
Rows = list[tuple[str, list[str]]]  # a row of a table: its name, and a cell for each arm


@dataclass(frozen=True)
class Pair:
    """Two arms that were read out alike: what the second is above the first, in seeds that both have.

    Args:
        first, second: arms.
    """

    first: Arm
    second: Arm

    @cached_property
    def reason(self) -> str:
        """Why no difference is taken; empty where one is."""
        one, other = self.first, self.second
        for what, of in QUESTIONS.items():
            if of(one) != of(other):
                return f"{what}: {of(one)} and {of(other)}"
        if not one.labelled:
            return "neither has labels to read out"
        return "" if self.seeds else "they have no seed in common"

    @property
    def seeds(self) -> list[int]:
        """That both have."""
        return [seed for seed in self.first.runs if seed in self.second.runs]

    @cached_property
    def differences(self) -> dict[str, Difference]:
        """Layer, or the layers that stand for the networks where these are two, -> its difference; corrected over all."""
        layers = range(1, min(self.first.layers, self.second.layers) + 1)
        rows = {f"layer {number}": (number, number) for number in layers}
        if self.headlines[0] != self.headlines[1]:
            rows[self.headline] = self.headlines
        found = {}
        for name, (mine, other) in rows.items():
            values = self.first.values(mine, "test_accuracy"), self.second.values(other, "test_accuracy")
            found[name] = Difference(tuple(values[1][seed] - values[0][seed] for seed in self.seeds))
        return dict(zip(found, corrected(list(found.values())), strict=True))

    @property
    def headlines(self) -> tuple[int, int]:
        """The layers that stand for the two networks."""
        return self.first.headline, self.second.headline

    @property
    def headline(self) -> str:
        """The row of them."""
        mine, other = self.headlines
        return f"layer {mine}" if mine == other else f"layer {other} over layer {mine}"

    @cached_property
    def paired(self) -> bool:
        """Whether it is known of every test image which of the two were right, so that their differences can be paired."""
        rights = [arm.right(1) for arm in (self.first, self.second)]
        shapes = {each[seed].shape for each in rights if each is not None for seed in self.seeds}
        return all(each is not None for each in rights) and len(shapes) == 1

    def test_interval(self) -> float:
        """Half the 95 % interval that the number of test images leaves of a difference between the two headlines.

        The mean over seeds of what the second is above the first differs from image to image; its deviation over the square
        root of their number is the standard error. Of files that do not say which images were right, the two shares are
        taken as independent, which is rather too wide than too narrow.
        """
        mine, other = self.headlines
        one, two = self.first.right(mine), self.second.right(other)
        if one is None or two is None or not self.paired:
            return float(np.hypot(self.first.test_interval(mine), self.second.test_interval(other)))
        over = np.mean([two[seed].astype(float) - one[seed] for seed in self.seeds], axis=0)
        return Estimate.of(over[None]).interval

    def words(self) -> str:
        """In one sentence whether they differ."""
        if self.reason:
            return f"not compared; {self.reason}"
        found = self.differences[self.headline]
        said, images = f"{self.headline} {verdict(found)}", 100 * self.test_interval()
        if len(found.values) >= LEAST:
            said += f" (p {found.p:.3f}, by Holm over {len(self.differences)} rows {found.corrected:.3f})"
        size = "within" if abs(100 * found.mean) <= images else "larger than"
        return f"{said}; {size} the ± {images:.1f} of so many test images"

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` has it."""
        if self.reason:
            return {"first": self.first.name, "second": self.second.name, "reason": self.reason}
        return {
            "first": self.first.name,
            "second": self.second.name,
            "seeds": self.seeds,
            "headline": self.headline,
            "differences": {name: each.to_json() for name, each in self.differences.items()},
            "test_interval": self.test_interval(),
            "test_images_paired": self.paired,
            "words": self.words(),
        }


QUESTIONS: dict[str, Callable[[Arm], object]] = {
    "other data": lambda arm: _config(arm).data.name,
    "one has no labels": lambda arm: "labels" if arm.labelled else "none",
    "other read-outs": lambda arm: arm.first.get("readout"),
    "other numbers of labels": lambda arm: arm.labels,
}


def _config(arm: Arm) -> Any:
    return next(iter(arm.runs.values())).config


def pairs(arms: Sequence[Arm]) -> list[Pair]:
    """Each arm beside the first."""
    return [Pair(arms[0], other) for other in arms[1:]]


def settings(arms: Sequence[Arm]) -> Rows:
    """The options that are not the same in all."""
    flats = [_config(arm).flat() for arm in arms]
    names = dict.fromkeys(name for flat in flats for name in flat if name not in APART)
    found = [(name, [_written(flat.get(name, "-")) for flat in flats]) for name in names]
    return [(name, cells) for name, cells in found if len(set(cells)) > 1]


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)


def costs(arms: Sequence[Arm]) -> Rows:
    """Seeds, audit, images seen, time."""
    rows: Rows = [("seeds", [", ".join(map(str, arm.runs)) for arm in arms])]
    rows.append(("audit", [_audit(next(iter(arm.runs.values()))) for arm in arms]))
    rows.append(("images seen a run", [_seen(next(iter(arm.runs.values()))) for arm in arms]))
    rows.append(("training a run", [span(arm.seconds / len(arm.runs)) for arm in arms]))
    speeds = [np.mean([each["images_per_second"] for each in arm.results.values()]) for arm in arms]
    rows.append(("images/s", [f"{speed:.0f}" for speed in speeds]))
    return rows


def _audit(run: Run) -> str:
    found = run.audited()
    return (
        f"{found['verdict']}: {found['grade']}"
        if {"verdict", "grade"} <= found.keys()
        else str(found.get("verdict", "not audited"))
    )


def _seen(run: Run) -> str:
    rows = run.metrics()
    return f"{int(rows[-1]['images']):,}" if rows else "0"


def readouts(arms: Sequence[Arm]) -> Rows:
    """Every layer, trained and untrained: mean and deviation over seeds, in % of test images."""
    rows: Rows = []
    for number in range(1, max((arm.layers for arm in arms if arm.labelled), default=0) + 1):
        for name, key in (("", "test_accuracy"), (", untrained", "floor_accuracy")):
            cells = [shown(a.spread(number, key)) if a.labelled and number <= a.layers else "-" for a in arms]
            rows.append((f"layer {number}{name}", cells))
    return rows


def lines(arms: Sequence[Arm]) -> Iterator[str]:
    """The table, as text, and a sentence for each pair."""
    names = [arm.name for arm in arms]
    how = {f"{READ_OUTS[arm.first['readout']]} read-out, {arm.labels:,} labels" for arm in arms if arm.labelled}
    parts = {
        "": [("", names)],
        "settings that differ": settings(arms) or [("none", [""] * len(arms))],
        "cost and audit": costs(arms),
        f"{'; '.join(sorted(how)) or 'no read-out'}, % of test images ± standard deviation over seeds": readouts(arms),
    }
    first = max(len(name) for rows in parts.values() for name, _ in rows) + 2
    widths = [max(len(cells[n]) for rows in parts.values() for _, cells in rows) + 2 for n in range(len(arms))]
    for title, rows in parts.items():
        if title:
            yield title
        for name, cells in rows:
            yield f"  {name:{first}}{''.join(f'{c:{w}}' for c, w in zip(cells, widths, strict=True))}".rstrip()
    if len(arms) > 1:
        yield f"beside {arms[0].name}, paired by seed, 95 % t interval"
    for pair in pairs(arms):
        yield f"  {pair.second.name}: {pair.words()}"
        for name, each in {} if pair.reason else pair.differences.items():
            p = "" if each.corrected is None else f", p by Holm {each.corrected:.3f}"
            yield f"    {name:{first - 2}}{between(each)}{p}"


def record(arms: Sequence[Arm]) -> dict[str, Any]:
    """All of it as data."""
    tables = {"settings": settings(arms), "cost": costs(arms), "readout": readouts(arms)}
    found: dict[str, Any] = {"runs": [arm.name for arm in arms]}
    found |= {title: dict(rows) for title, rows in tables.items()}
    return {**found, "differences": [pair.to_json() for pair in pairs(arms)]}
