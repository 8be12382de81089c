"""What was read out already: keys of everything that a read-out depends on, floors in a cache, read-outs from their records."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import neurosim
from neurosim.core.reading import File
from neurosim.core.writing import write_whole
from neurosim.errors import RunError
from neurosim.readout.features import forward_weights
from neurosim.readout.results import Estimate, Gain, Point, Readout, Row, unpacked

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.data.dataset import Labelled
    from neurosim.readout.curve import Side
    from neurosim.readout.features import Encoder
    from neurosim.readout.floor import Method

CHUNK = 1000  # pictures that are read at once


@functools.cache
def of_code() -> str:
    """A digest of this package's files: what other code read out is not taken for what this one would."""
    total = hashlib.blake2b(digest_size=16)
    root = Path(neurosim.__file__).parent
    for path in sorted(path for path in root.rglob("*") if path.suffix in (".py", ".cu")):
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def of_arrays(arrays: Mapping[str, Array]) -> str:
    """A digest of arrays: names, types, shapes and all that is in them."""
    total = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        array = arrays[name]
        total.update(f"{name} {array.dtype} {array.shape}".encode())
        for start in range(0, max(len(array), 1), CHUNK) if array.ndim else ():
            total.update(np.ascontiguousarray(array[start : start + CHUNK]).tobytes())
    return total.hexdigest()


def of_encoder(encoder: Encoder) -> list[str]:
    """What its features depend on, beside the pictures."""
    device = encoder.network.populations[0].activity.device
    sizes = [encoder.network.populations[0].shape, encoder.patches, str(encoder.network.dtype)]
    how = [str(encoder.network), *map(str, sizes), str(encoder.framing), str(sorted(encoder.stimulus.scalars.items()))]
    return [of_arrays(forward_weights(encoder.network)), *how, device.name if device else "cpu"]


def key(encoders: Sequence[Encoder], given: Labelled, method: Method, learned: Sequence[int]) -> str:
    """A digest of everything that decides what a read-out finds.

    Args:
        encoders: whose features are read.
        given: pictures and labels.
        method: of the read-out.
        learned: layers that are read together.
    """
    arrays = of_arrays(given._asdict())
    parts = [
        of_code(),
        *(part for encoder in encoders for part in of_encoder(encoder)),
        arrays,
        repr(method),
        repr(learned),
    ]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


class Floors:
    """What untrained networks gave, in files of a folder.

    A file that is broken is made again; a folder that cannot be written only means that a floor is read out anew.

    Args:
        folder: made when the first one is kept.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def find(self, key: str) -> Side | None:
        """What is kept under a key; None where nothing is."""
        from neurosim.readout.curve import Side  # SciPy is not needed before

        side = Side()
        file = File(self.folder / f"{key}.npz")
        with contextlib.suppress(RunError), file.whole():
            for name, array in file.npz().items():
                kind, layer, count = name.split()
                place = {"right": side.right, "score": side.score}[kind]
                place[int(layer), int(count)] = array
            return side
        return None

    def keep(self, key: str, side: Side) -> None:
        """Keep what was found."""
        kinds = {"right": side.right, "score": side.score}
        arrays = {f"{kind} {n} {count}": array for kind, found in kinds.items() for (n, count), array in found.items()}
        with contextlib.suppress(OSError, RunError):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / f"{key}.npz", lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]


def _row(record: Mapping[str, Any]) -> Row:
    return Row(*(_estimate(record, name) for name in ("test_accuracy", "floor_accuracy", "difference")))


def _estimate(record: Mapping[str, Any], name: str) -> Estimate:
    return Estimate(record[name], record[f"{name.removesuffix('_accuracy')}_interval"])


def _point(record: Mapping[str, Any]) -> Point:
    best = record["best"]
    gain = None
    if best is not None:
        row = _row(best)
        chosen = tuple(best["layers"]), tuple(best["floor_layers"])
        gain = Gain(row.trained, row.floor, row.difference, *chosen)
    together = record["together"] and _row(record["together"])
    return Point(record["labels"], record["draws"], tuple(map(_row, record["layers"])), together, gain)


def from_json(record: Mapping[str, Any]) -> Readout:
    """A read-out from what `Readout.to_json` made of it; the same to the last bit."""
    points = tuple(map(_point, record["curve"]))
    left_out = tuple(record.get("left_out", ()))
    right = unpacked(record["right"]) if record.get("right") else None
    return Readout(record["readout"], tuple(record["learned_layers"]), points, left_out, right)
