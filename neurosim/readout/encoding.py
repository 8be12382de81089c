"""Features of many pictures: which layers, and the pictures as they come in, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from neurosim.errors import DataError, WiringError

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.engine.threads import ThreadTeam
    from neurosim.readout.features import Encoder

ALL, TOGETHER = "all", "together"
DTYPES = ("float32", "float16")

Layers: TypeAlias = int | str | Sequence[int] | None


@dataclass(frozen=True)
class Selection:
    """Which layers' features are wanted.

    Args:
        layers: their numbers.
        joined: side by side, as one array.
        single: one array was asked for, not one a layer.
    """

    layers: tuple[int, ...]
    joined: bool = False
    single: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of the arrays: ``features`` where there is one, else ``layer1``, ``layer2`` ..."""
        return ("features",) if self.joined or self.single else tuple(f"layer{number}" for number in self.layers)

    def __str__(self) -> str:
        numbers = ", ".join(map(str, self.layers))
        words = f"layer {numbers}" if len(self.layers) == 1 else f"layers {numbers}"
        return f"{words} together" if self.joined and len(self.layers) > 1 else words

    def arrays(self, found: Sequence[Array]) -> list[Array]:
        """The arrays of what every layer gave."""
        return [np.concatenate(found, axis=1)] if self.joined else list(found)


def select(encoder: Encoder, layer: Layers, learned: Callable[[], Sequence[int]] = tuple) -> Selection:
    """The layers that were asked for.

    Args:
        encoder: whose they are.
        layer: a number from 1, the bottom; several; ``"all"``; ``"together"``: all that learned, side by side; None: the
            top. As it is typed: ``"3"``, ``"1,3"``.
        learned: gives the numbers of the layers that learned; asked for ``"together"`` alone.

    Raises:
        DataError: no such layer, or none that learned.
    """
    top = len(encoder.network)
    if isinstance(layer, str) and layer not in (ALL, TOGETHER):
        layer = _typed(layer, top)
    if layer == ALL:
        return Selection(tuple(range(1, top + 1)))
    if layer == TOGETHER:
        found = tuple(learned())
        if not found:
            raise DataError("no layer learned: every synapse is as it was drawn", "one that did", "write layer='all'")
        return Selection(found, joined=True)
    if layer is None or not isinstance(layer, list | tuple | range | np.ndarray):
        return Selection((encoder.layer(layer),), single=True)  # type: ignore[arg-type]  # what is none is refused there
    numbers = tuple(encoder.layer(number) for number in layer)
    if not numbers or len(set(numbers)) < len(numbers):
        raise DataError(f"layers {', '.join(map(str, numbers)) or '()'}", "one or more, each once", "write layer='all'")
    return Selection(numbers)


def _typed(text: str, top: int) -> int | list[int]:
    """Numbers with commas between.

    Raises:
        DataError: something else.
    """
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise DataError(
            f"layer {text!r}",
            f"a number from 1 to {top}, several with commas between, {ALL} or {TOGETHER}",
            f"write layer={top}",
        ) from None
    return numbers[0] if len(numbers) == 1 else numbers


def regroup(parts: Iterable[Array], size: int) -> Iterator[Array]:
    """The same pictures, ``size`` at a time, the last group as many as are left; of several frames the first."""
    held: list[Array] = []
    count = 0
    for part in parts:
        part = part[:, 0] if part.ndim == 5 else part
        while count + len(part) >= size:
            here = size - count
            yield np.concatenate([*held, part[:here]])
            held, count, part = [], 0, part[here:]
        if len(part):
            held, count = [*held, part], count + len(part)
    if held:
        yield np.concatenate(held)


def stream(encoder: Encoder, parts: Iterable[Array], selection: Selection, team: ThreadTeam) -> Iterator[list[Array]]:
    """Features of some layers, a group of pictures at a time.

    Every group has as many pictures as the encoder shows at once, however many come at once: products of matrices may
    round a row by its place among the others, and so a picture's features depend on its number alone.

    Args:
        encoder: whose features.
        parts: uint8 ``(sample, row, column, channel)`` each, some pictures.
        selection: of layers.
        team: who computes.

    Yields:
        An array ``(sample, feature)`` for each of the selection's names.
    """
    for group in regroup(parts, encoder.pictures):
        yield selection.arrays(encoder.features(group, team, selection.layers))


def rounded(features: Array, dtype: str) -> Array:
    """Features in the type that they are kept in.

    Raises:
        WiringError: another type.
        DataError: a number that the type cannot hold.
    """
    if dtype not in DTYPES:
        raise WiringError(f"dtype={dtype!r}", " or ".join(DTYPES), "write dtype='float32'", argument="dtype")
    with np.errstate(over="ignore"):
        found = features.astype(dtype, copy=False)
    if dtype != DTYPES[0] and not np.isfinite(found).all() and np.isfinite(features).all():
        raise DataError(
            f"features up to {np.abs(features).max():g} in {dtype}",
            f"at most {np.finfo(dtype).max:g}",
            "write dtype='float32'",
        )
    return found
