"""What a read-out found: a curve over numbers of labels for every layer, beside the floor, with intervals."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from neurosim.core.typing import Array

READ_OUTS = {"lbfgs": "linear", "ridge": "ridge", "adam": "linear", "hinge": "hinge", "knn": "nearest-neighbour"}
CONFIDENCE = 0.95
_COLUMNS = 4  # numbers of labels side by side, in 100 characters


@dataclass(frozen=True)
class Estimate:
    """A share of test images, or a difference of two, and how far off it may be.

    Args:
        value: -1 .. 1.
        interval: half the width of the 95 % interval.
    """

    value: float
    interval: float

    @classmethod
    def of(cls, right: Array) -> Estimate:
        """The mean over draws of labels and test images, whose interval adds the spread over both.

        ``variance = var_i(mean over draws) / images + var_d(mean over images) / draws``; Student's t has as many degrees
        of freedom as Satterthwaite (1946) gives the sum. With one draw there is no spread over draws to add. What the two
        have in common is counted twice, so that the interval is rather too wide than too narrow.

        Args:
            right: ``(draw, test image)``, whether each is right, or the difference of two such.
        """
        import scipy.special

        right = np.asarray(right, float)
        draws, images = right.shape
        of_images = right.mean(axis=0).var(ddof=1) / images if images > 1 else 0.0
        of_draws = right.mean(axis=1).var(ddof=1) / draws if draws > 1 else 0.0
        variance = of_images + of_draws
        if not variance:
            return cls(float(right.mean()), 0.0)
        parts = of_images**2 / max(images - 1, 1) + of_draws**2 / max(draws - 1, 1)
        t = scipy.special.stdtrit(variance**2 / parts, (1 + CONFIDENCE) / 2)
        return cls(float(right.mean()), float(t * np.sqrt(variance)))


@dataclass(frozen=True)
class Row:
    """One layer, several together, or the best one, with one number of labels.

    Args:
        trained: share of test images that are right.
        floor: the same of the untrained network.
        difference: of the two, over the same test images and the same labels.
    """

    trained: Estimate
    floor: Estimate
    difference: Estimate

    @classmethod
    def of(cls, trained: Array, floor: Array) -> Row:
        """From whether each test image is right, ``(draw, test image)`` of both."""
        difference = np.asarray(trained, float) - np.asarray(floor, float)
        return cls(Estimate.of(trained), Estimate.of(floor), Estimate.of(difference))

    def to_json(self) -> dict[str, float]:
        """As results.json has it."""
        return {
            "test_accuracy": self.trained.value,
            "test_interval": self.trained.interval,
            "floor_accuracy": self.floor.value,
            "floor_interval": self.floor.interval,
            "difference": self.difference.value,
            "difference_interval": self.difference.interval,
        }

    def __str__(self) -> str:
        trained, floor, gain = (100 * each.value for each in (self.trained, self.floor, self.difference))
        return f"{trained:4.1f} {floor:4.1f} {gain:+5.1f} ±{100 * self.difference.interval:.1f}"


@dataclass(frozen=True)
class Gain(Row):
    """The best learned layer beside the best untrained one, each chosen within the labels.

    Args:
        layers: the learned layer that was chosen, of each draw of labels.
        floor_layers: the untrained one.
    """

    layers: tuple[int, ...] = ()
    floor_layers: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As results.json has it."""
        return {**super().to_json(), "layers": list(self.layers), "floor_layers": list(self.floor_layers)}


@dataclass(frozen=True)
class Point:
    """The curve at one number of labels.

    Args:
        labels: how many.
        draws: so many times as many were drawn.
        layers: layer 1 first.
        together: all layers that learned, side by side; None: fewer than two did.
        best: None: no layer learned.
    """

    labels: int
    draws: int
    layers: tuple[Row, ...]
    together: Row | None
    best: Gain | None

    def to_json(self) -> dict[str, Any]:
        """As results.json has it."""
        return {
            "labels": self.labels,
            "draws": self.draws,
            "layers": [{"layer": number, **row.to_json()} for number, row in enumerate(self.layers, 1)],
            "together": self.together and self.together.to_json(),
            "best": self.best and self.best.to_json(),
        }


@dataclass(frozen=True)
class Readout:
    """What a read-out of every layer found, beside the floor: the same network untrained. It prints as a table.

    Args:
        method: of the read-out.
        learned: numbers of the layers whose own synapses changed.
        curve: fewest labels first.
        left_out: numbers of labels that were asked for and are more than there are.
        right: ``(layer, test image)``, whether each is right with the largest number of labels; None of earlier files.
        data: the name of the data set.
        key: a digest of everything that decides what is found, see `neurosim.readout.kept.key`.
        taken: where it was taken from, in words, where it was not read out now.
    """

    method: str
    learned: tuple[int, ...]
    curve: tuple[Point, ...]
    left_out: tuple[int, ...] = ()
    right: Array | None = field(default=None, compare=False, repr=False)
    data: str = field(default="", compare=False)
    key: str = field(default="", compare=False, repr=False)
    taken: str = field(default="", compare=False)

    @property
    def how(self) -> str:
        """The method in words."""
        return READ_OUTS[self.method]

    @property
    def accuracy(self) -> tuple[float, ...]:
        """Share of test images that are right with the largest number of labels, 0..1, of layer 1 first."""
        return tuple(row.trained.value for row in self.curve[-1].layers)

    @property
    def floor(self) -> tuple[float, ...]:
        """The same of the untrained network."""
        return tuple(row.floor.value for row in self.curve[-1].layers)

    @property
    def labels(self) -> int:
        """The largest number of labels."""
        return self.curve[-1].labels

    @property
    def headline(self) -> int:
        """The layer that stands for the network: the highest that learned; the top if none did."""
        return self.learned[-1] if self.learned else len(self.accuracy)

    @property
    def gain(self) -> Gain | None:
        """The best learned layer over the best untrained one, with the largest number of labels; None: none learned."""
        return self.curve[-1].best

    def __str__(self) -> str:
        lines = [f"{self.how} read-out, % of test images: trained, untrained, difference ± 95 % interval"]
        for start in range(0, len(self.curve), _COLUMNS):
            lines += _block(self.curve[start : start + _COLUMNS], self.learned)
        return "\n".join([*lines, *self._notes()])

    def _notes(self) -> Iterator[str]:
        every = range(1, len(self.accuracy) + 1)
        if not self.learned:
            yield "no layer learned: every synapse is as it was drawn"
        elif len(self.learned) < len(every):
            drawn = ", ".join(str(number) for number in every if number not in self.learned)
            yield f"(layer): its own synapses are as they were drawn ({drawn})"
        if self.curve[-1].together:
            yield f"together: layers {', '.join(map(str, self.learned))} side by side"
        if self.gain:
            yield "best: the best learned layer over the best untrained one, each chosen within the labels"
        if self.left_out:
            numbers = ", ".join(f"{number:,}" for number in self.left_out)
            yield f"labels {numbers}: the data hold {self.labels:,}, which are the last column instead"

    def to_json(self) -> dict[str, Any]:
        """As results.json holds it: the headline's, every layer's with the largest number of labels, and the curve."""
        headline = self.curve[-1].layers[self.headline - 1]
        return {
            "readout": self.method,
            "test_accuracy": headline.trained.value,
            "floor_accuracy": headline.floor.value,
            "headline": {"layer": self.headline, "labels": self.labels, **headline.to_json()},
            "learned_layers": list(self.learned),
            "gain": self.gain and self.gain.to_json(),
            "per_layer": [
                {"layer": number, "test_accuracy": trained, "floor_accuracy": floor}
                for number, (trained, floor) in enumerate(zip(self.accuracy, self.floor, strict=True), 1)
            ],
            "curve": [point.to_json() for point in self.curve],
            "right": None if self.right is None else packed(self.right),
        }


def packed(right: Array) -> dict[str, Any]:
    """Whether each test image is right, as results.json has it: a bit an image, the first the highest of its byte.

    Args:
        right: ``(layer, test image)``.
    """
    rows = [base64.b64encode(np.packbits(row).tobytes()).decode() for row in right]
    return {"test_images": right.shape[1], "layers": rows}


def unpacked(record: dict[str, Any]) -> Array:
    """What `packed` packed, ``(layer, test image)``.

    Raises:
        ValueError: a record of another form.
    """
    rows = [np.frombuffer(base64.b64decode(row, validate=True), np.uint8) for row in record["layers"]]
    found: Array = np.unpackbits(np.array(rows), axis=1, count=record["test_images"]).astype(bool)
    return found


def _block(points: Sequence[Point], learned: Sequence[int]) -> Iterator[str]:
    """A table of some numbers of labels, a row a layer."""
    heads = [f"{point.labels:,}" + (f" ({point.draws} draws)" if point.draws > 1 else "") for point in points]
    yield _line("labels", heads)
    for number in range(1, len(points[0].layers) + 1):
        name = f"layer {number}" if number in learned or not learned else f"(layer {number})"
        yield _line(name, [str(point.layers[number - 1]) for point in points])
    if points[0].together:
        yield _line("together", [str(point.together) for point in points])
    if points[0].best:
        yield _line("best", [str(point.best) for point in points])


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:<10} {'  '.join(f'{cell:<20}' for cell in cells)}".rstrip()
