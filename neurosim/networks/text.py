"""Networks as text: layers with commas between, and what every head is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from neurosim.errors import ShapeError, WiringError
from neurosim.networks import presets
from neurosim.networks.presets.base import Preset
from neurosim.parts.population import NONLINEARITIES

FLAGS = ("pool", "average", "bias", "local", "centred")  # words of a layer
FIRST = ("centre-surround", "centre-surround learned")  # stages before the first layer, beside `whitened 6x6`
FIELD = 3  # rows and columns of a field, where a layer does not say otherwise
_FIELD = re.compile(r"([1-9]\d?)x\1")
_WHITENED = re.compile(r"whitened ([2-9])x\1")


@dataclass(frozen=True)
class Layer:
    """One layer of a text network: a convolution, perhaps a bias, perhaps a 2 x 2 pool, and a nonlinearity.

    A ``local`` layer is untied: the same connections, but every place has weights of its own (Amit 2019). ``field`` is how
    many rows and columns below a unit receives from. A pool is the largest of a window or, ``averaged``, the mean. Of a
    ``centred`` layer interneurons take the mean of a field off (`neurosim.parts.interneurons`).
    """

    channels: int
    nonlinearity: str
    pooled: bool
    bias: bool = False
    local: bool = False
    field: int = FIELD
    averaged: bool = False
    centred: bool = False

    def __str__(self) -> str:
        field = f"{self.field}x{self.field}"
        words = [
            str(self.channels),
            *[field] * (self.field != FIELD),
            *["local"] * self.local,
            *["bias"] * self.bias,
            *["centred"] * self.centred,
        ]
        if self.nonlinearity != "linear" or not self.pooled:
            words.append(self.nonlinearity)
        return " ".join([*words, "average" if self.averaged else "pool"] if self.pooled else words)


class HeadText(NamedTuple):
    """What a text says of every head.

    Attributes:
        nonlinearity: of its units.
        bias: whether they have one.
        averages: whether it reads the means of 2 x 2 windows.
    """

    nonlinearity: str = "linear"
    bias: bool = False
    averages: bool = False

    def __str__(self) -> str:
        words = ["head", *["average"] * self.averages, *["bias"] * self.bias]
        return " ".join([*words, *[self.nonlinearity] * (self.nonlinearity != "linear")])


def named(network: object) -> bool:
    """Whether it is a preset, its name or ``module:Class``, and no text."""
    if not isinstance(network, str) or network in presets.available() or ":" in network:
        return True
    return len(network.split()) == 1 and network in presets.installed()  # every layer of a text has two words or more


def written(network: object, **options: Any) -> str:
    """The text of a network.

    Args:
        network: the text itself, the name of a preset, ``module:Class``, a class, a factory or a preset.
        **options: of the preset.

    Raises:
        WiringError: no such preset, or an option that it has not.
    """
    return str(presets.make(network, **options)) if named(network) or options else str(network)


def parse(network: str | Preset) -> tuple[Layer, ...]:
    """Read a preset's name or ``"32 hardtanh, 32 pool, 512 hardtanh pool"``.

    A layer is its number of channels and then words: ``hardtanh``, ``tanh``, ``linear``, ``rectified``, ``inhibited`` or
    ``saturating``, ``bias``, ``centred``, ``local``, ``pool`` or ``average``, and the size of its fields, ``5x5``. A pooled
    layer without a nonlinearity is linear. The largest of a window is taken before the nonlinearity (where that never falls
    it is the same) and after lateral inhibition, the mean after the nonlinearity. The first part may be
    ``centre-surround``, see `neurosim.parts.retina`, or ``whitened 6x6``, see `neurosim.parts.whitening`; the last may be
    of the heads, see `parse_head`.

    Raises:
        WiringError: a text that is none of these.
    """
    return tuple(_layer(number, part, network) for number, part in enumerate(_parts(network).layers, 1))


def _layer(number: int, part: str, network: str | Preset) -> Layer:
    """One layer from its words.

    Raises:
        WiringError: words that are no layer.
    """
    words = part.split()
    fields = [word for word in words[1:] if _FIELD.fullmatch(word)]
    names = [word for word in words[1:] if word not in FLAGS and word not in fields]
    known = words and words[0].isdecimal() and int(words[0]) > 0 and len(names) <= 1 and len(fields) <= 1
    pools = {"pool", "average"} & set(words)
    known = known and max(map(words.count, FLAGS)) <= 1 and bool(names or pools) and len(pools) < 2
    if not known or any(name not in NONLINEARITIES for name in names):
        there = ", ".join([*presets.available(), *presets.installed()])
        raise WiringError(
            f"layer {number} of the network {str(network)!r} reads {part.strip()!r}",
            f"a preset ({there}) or layers like '32 hardtanh', '64 pool' and '96 5x5 inhibited', with commas between",
            'write network="32 hardtanh, 64 pool"',
            argument="network",
        )
    field = int(fields[0].split("x")[0]) if fields else FIELD
    if "local" in words and (field != FIELD or "centred" in words):
        raise WiringError(
            f"layer {number} of the network {str(network)!r} reads {part.strip()!r}",
            f"fields of {FIELD}x{FIELD}, not centred, where every place has weights of its own",
            "leave out local",
            argument="network",
        )
    flags = (bool(pools), "bias" in words, "local" in words, field, "average" in words, "centred" in words)
    return Layer(int(words[0]), names[0] if names else "linear", *flags)


def parse_head(network: str | Preset) -> HeadText:
    """What every head is: linear without bias unless the text ends like ``", head bias tanh"`` or ``", head average"``.

    Raises:
        WiringError: other words after ``head``.
    """
    words = (_parts(network).head or "head").split()[1:]
    names = [word for word in words if word not in ("average", "bias")]
    twice = max(map(words.count, ("average", "bias"))) > 1
    known = [name for name, phi in NONLINEARITIES.items() if not phi.lateral]  # of a head, no channels share a place
    if len(names) > 1 or any(name not in known for name in names) or twice:
        raise WiringError(
            f"the head of the network {str(network)!r} reads {' '.join(['head', *words])!r}",
            f"head, then bias, average, then {', '.join(known[:-1])} or {known[-1]}, each once at most",
            'write it last: network="32 tanh pool, head bias tanh"',
            argument="network",
        )
    return HeadText(names[0] if names else "linear", "bias" in words, "average" in words)


class Parts(NamedTuple):
    """The parts of a text: the stage before the first layer and what every head is, where it says so, and the layers."""

    first: str | None
    layers: list[str]
    head: str | None


def parse_first(network: str | Preset) -> str | None:
    """What comes before the first layer: ``centre-surround``, ``centre-surround learned``, ``whitened 6x6``, or nothing."""
    return _parts(network).first


def whitened(first: str | None) -> int | None:
    """Rows and columns of the patches that a first stage whitens; None: of another stage."""
    found = _WHITENED.fullmatch(first or "")
    return int(found[1]) if found else None


def _parts(network: str | Preset) -> Parts:
    parts = written(network).split(",")
    head = parts.pop() if len(parts) > 1 and parts[-1].split()[:1] == ["head"] else None
    first = " ".join(parts[0].split())
    stage = len(parts) > 1 and (first in FIRST or whitened(first) is not None)
    return Parts(first, parts[1:], head) if stage else Parts(None, parts, head)


def shapes(layers: tuple[Layer, ...], image: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """(row, column, channel) of the image and of every layer's activity.

    Raises:
        ShapeError: a pool that the size does not allow, with the sizes layer by layer.
    """
    sizes = [(image[0], image[1], image[2])]
    for number, layer in enumerate(layers, 1):
        rows, columns, _ = sizes[-1]
        if layer.pooled and (rows % 2 or columns % 2):
            raise _unpooled(layers, sizes, number)
        half = 2 if layer.pooled else 1
        sizes.append((rows // half, columns // half, layer.channels))
    return sizes


def _unpooled(layers: tuple[Layer, ...], sizes: list[tuple[int, int, int]], number: int) -> ShapeError:
    """The error of a pool that the size does not allow: the nearest sizes that fit, and a network that does."""
    (high, wide, channels), step = sizes[0], 2 ** sum(layer.pooled for layer in layers)
    below = [f"{f'layer {i}' if i else 'image'}: {r}x{c}x{k}" for i, (r, c, k) in enumerate(sizes)]
    less, more = min(high, wide) // step * step, -(-max(high, wide) // step) * step
    near = f"{less} or {more}" if less else f"{more}"
    instead = fitting(high, wide)[:1] or [", ".join(map(str, _fewer_pools(layers, (high, wide, channels))))]
    smaller = f"crop={less}, or " if less else ""
    return ShapeError(
        f"layer {number} pools {sizes[-1][0]}x{sizes[-1][1]} ({', '.join(below)})",
        f"even sizes before every 2 x 2 pool: rows and columns that {step} divides, as {near}",
        f'write {smaller}size={more} for pictures in files, or network="{instead[0]}"',
        argument="network",
    )


def _fewer_pools(layers: tuple[Layer, ...], image: tuple[int, int, int]) -> list[Layer]:
    """The same layers, of which no more pool than the size allows."""
    rows, columns, found = image[0], image[1], []
    for layer in layers:
        pooled = layer.pooled and rows % 2 == 0 and columns % 2 == 0
        rows, columns = (rows // 2, columns // 2) if pooled else (rows, columns)
        found.append(replace(layer, pooled=pooled, averaged=layer.averaged and pooled))
    return found


def fitting(rows: int, columns: int) -> list[str]:
    """The presets whose pools allow pictures of a size, those that pool most first."""
    found = {name: sum(layer.pooled for layer in parse(name)) for name in presets.available()}
    fit = []
    for name, count in found.items():
        tops = [side // 2**count if side % 2**count == 0 else 0 for side in (rows, columns)]
        if all(tops) and not (parse_head(name).averages and tops != [1, 1] and any(top % 2 for top in tops)):
            fit.append(name)
    return sorted(fit, key=lambda name: -found[name])
