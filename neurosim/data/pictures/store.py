"""Pictures decoded once: a memory map on disk that is known by the content of the files and by how they are fitted.

A file of the cache holds the pictures of one data set in their final order, training pictures first, so that sets larger than
memory are streamed from it. It is written aside, synced and renamed. Removing the folder only means that pictures
are decoded anew.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from neurosim.core.reading import File, why
from neurosim.core.typing import Array
from neurosim.core.writing import renamed
from neurosim.data.cache import user_cache
from neurosim.data.pictures import decode
from neurosim.data.pictures.decode import Fitting, UnreadableError
from neurosim.data.pictures.survey import Item, Survey, on_all_cores
from neurosim.errors import DataError, RunError

Arrange = Callable[[list[int]], tuple[Array, Array]]
_BLOCK = 256  # pictures copied at once


@dataclass(frozen=True)
class Stored:
    """Pictures in their final order.

    Attributes:
        images: uint8 ``(sample, row, column, 3)``, a memory map where there is a cache.
        order: the number of each one's item.
        train: how many are training pictures; they come first.
        broken: number of an item that cannot be decoded -> why.
        place: the cache's file; None where it cannot be written, and why.
    """

    images: Array
    order: Array
    train: int
    broken: dict[int, str]
    place: Path | None
    why: str = ""


def cache_folder() -> Path:
    """``neurosim/pictures`` in the user's cache (``$XDG_CACHE_HOME`` or ``~/.cache``)."""
    return user_cache() / "pictures"


def stored(seen: Survey, fitting: Fitting, arrange: Arrange, marks: bytes, cache: Path | None = None) -> Stored:
    """The pictures, from the cache or decoded into it.

    Args:
        seen: files that are pictures, as far as their heads say.
        fitting: what they are brought to.
        arrange: from the numbers of the items that could be decoded to those of the training and of the test pictures.
        marks: whatever else decides the order.
        cache: the folder; None: `cache_folder`.

    Raises:
        DataError: no picture can be decoded, or there is no room for them.
    """
    folder = cache_folder() if cache is None else cache
    key = _key(seen, fitting, marks)
    known = _known(folder / f"{key}.npy", len(seen.items))
    if known is not None:
        return known
    shape = _shape(seen, fitting)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _scratch(folder) as (first, second):
            return _decoded(seen, fitting, arrange, _mapped(shape, first), second, folder / f"{key}.npy")
    except OSError as error:
        why = f"{folder} cannot be written ({error.strerror or error}), so pictures are decoded at every start"
    return _decoded(seen, fitting, arrange, _memory(shape), None, None, why)


def _shape(seen: Survey, fitting: Fitting) -> tuple[int, int, int, int]:
    if fitting.size is not None:
        return len(seen.items), fitting.size, fitting.size, 3
    columns, rows = next(facts.size for facts in seen.facts if facts is not None)
    return len(seen.items), rows, columns, 3


def _key(seen: Survey, fitting: Fitting, marks: bytes) -> str:
    digest = hashlib.sha256(repr((decode.VERSION, fitting.size, fitting.fit, fitting.colour)).encode())
    for content in (marks, *seen.digests):
        digest.update(content)
    return digest.hexdigest()[:32]


def _decoded(
    seen: Survey,
    fitting: Fitting,
    arrange: Arrange,
    decoded: Array,
    second: Path | None,
    place: Path | None,
    why: str = "",
) -> Stored:
    """Decode into ``decoded``, then lay out in order, in ``second`` and under its own name or in memory."""

    def one(number: int) -> str:
        return _into(decoded, number, seen.items[number], fitting)

    problems = on_all_cores(one, range(len(seen.items)), "decoding pictures")
    broken = {number: problem for number, problem in enumerate(problems) if problem}
    train, test = arrange([number for number in range(len(seen.items)) if number not in broken])
    order = np.concatenate([train, test])
    images = (
        _memory((len(order), *decoded.shape[1:]))
        if second is None
        else _mapped((len(order), *decoded.shape[1:]), second)
    )
    for start in range(0, len(order), _BLOCK):
        images[start : start + _BLOCK] = decoded[order[start : start + _BLOCK]]
    if second is None or place is None:
        return Stored(images, order, len(train), broken, None, why)
    cast(np.memmap[Any, Any], images).flush()
    record = {"order": order.tolist(), "train": len(train), "broken": {str(n): why for n, why in broken.items()}}
    beside = second.with_suffix(".part.json")
    beside.write_text(json.dumps(record), "utf-8")
    del images  # some systems rename no file that is mapped
    renamed(second, place)
    renamed(beside, place.with_suffix(".json"))
    known = _known(place, len(seen.items))
    if known is None:
        raise OSError(0, "what was written cannot be read")
    return known


def _into(decoded: Array, number: int, item: Item, fitting: Fitting) -> str:
    """Decode one picture into its row; what is wrong with it, where something is."""
    try:
        with item.open() as file:
            pixels = decode.decode(file, fitting)
    except UnreadableError as problem:
        return str(problem)
    except OSError as error:
        return f"it cannot be opened: {why(error)}"
    if pixels.shape != decoded.shape[1:]:
        return f"it decodes to {pixels.shape[1]} x {pixels.shape[0]}, not what its head says"
    decoded[number] = pixels
    return ""


def _known(place: Path, count: int) -> Stored | None:
    """What the cache holds of so many items, or None."""
    file = File(place)
    with contextlib.suppress(RunError), file.whole():
        record = File(place.with_suffix(".json")).json({"order": [int], "train": int, "broken": dict})
        images, order = file.npy(), np.array(record["order"], np.int64)
        if len(images) != len(order) or images.dtype != np.uint8 or images.ndim != 4:
            return None
        if not set(record["order"]) <= set(range(count)) or not 0 < record["train"] <= len(order):
            return None
        broken = {int(number): str(words) for number, words in record["broken"].items()}
        if not set(broken) <= set(range(count)):
            return None
        return Stored(images, order, record["train"], broken, place)
    return None


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Two names in a folder that nobody else has; whatever is left there goes."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".decoding-") as inside:
        yield Path(inside) / "decoded.npy", Path(inside) / "ordered.npy"


def _mapped(shape: tuple[int, ...], path: Path) -> Array:
    """A new file as an array; its space is asked for now, so that a full disk is an error and not a crash."""
    images = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    try:
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, os.path.getsize(path))
    except AttributeError:  # no such call on this system
        pass
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):  # others: this file system has no such call
            raise
    return images


def _memory(shape: tuple[int, ...]) -> Array:
    try:
        return np.empty(shape, np.uint8)
    except MemoryError:
        actual = f"{shape[0]} pictures of {shape[2]} x {shape[1]} take {np.prod(shape, dtype=float) / 1e9:.1f} GB"
        raise DataError(actual, "as much memory, or a cache that can be written", "write size=32", "size") from None
