"""Named arrays of the plan over time: written while a model learns, as nengo's Probe and Brian's StateMonitor do.

``recorded.npz`` in the run's folder has for each name an array whose first axis is time, and ``NAME batch``: how many batches were
done then. While training lasts they are streamed into ``recorded/``, so that memory does not grow with time; a run that is
resumed drops what lies behind its checkpoint and goes on, to the same file as if it had never been stopped.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from neurosim.core.archives import npy_head
from neurosim.core.reading import File, size_of
from neurosim.core.records import check, parsed
from neurosim.core.roles import Role
from neurosim.core.writing import write_whole
from neurosim.errors import RunError, WiringError, nearest
from neurosim.training.folder import make_folder
from neurosim.training.trainer import Callback, Trainer

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.core.plan import Plan
    from neurosim.core.typing import Array
    from neurosim.training.folder import Run
    from neurosim.training.model import Model

Watched = dict[str, dict[str, "Buffer"]]  # phase -> name -> its array
EXPLAIN = "see `neurosim explain`"
LARGEST_ORDER = 1 << 20  # bytes of the names
BATCH = " batch"  # after a name: when it was recorded


def watched(model: Model) -> Watched:
    """The arrays that ``record`` names, in each phase whose plan has them.

    Args:
        model: whose configuration asks for them. A name is one that ``explain`` shows, or a kind: ``memory`` is every
            short-term memory.

    Raises:
        WiringError: a name that no plan has.
    """
    asked = model.config.training.record
    if asked is None:
        return {}
    known = {phase: _arrays(model.plan(phase)) for phase in model.rule.phases}
    found: Watched = {phase: {} for phase in known}
    for word in filter(None, (part.strip() for part in asked.split(","))):
        there = False
        for phase, arrays in known.items():
            mine = {name: b for name, b in arrays.items() if name == word or (b.role == word and b is b.base)}
            found[phase] |= mine
            there = there or bool(mine)
        if not there:
            names = list(dict.fromkeys(name for arrays in known.values() for name in arrays))
            others = [name for name in names if name.rstrip("0123456789") == word.rstrip("0123456789")]
            hint = f"did you mean {' or '.join(others[:5])}?" if others else nearest(word, [*names, *Role], EXPLAIN)
            some = ", ".join([name for name in names if len(name) < 4][:6])
            expected = f"names of the plan ({some}, ...), or a kind of array, as memory"
            raise WiringError(f"record has {word!r}", expected, hint, argument="record")
    return found


def _arrays(plan: Plan) -> dict[str, Buffer]:
    """Every array that a plan names: whole ones, and parts that have names of their own; not whole ones folded."""
    named = {buffer.name: buffer for step in plan for buffer in step.buffers.values()}
    return {**named, **{buffer.name: buffer for buffer in plan.buffers}}


class Probes(Callback):
    """Records arrays of a run.

    Args:
        run: whose folder the file goes into; None: there is none, which is refused where something is to be recorded.
    """

    def __init__(self, run: Run | None):
        self._run = run
        self._watched: Watched = {}
        self._streams: dict[str, _Stream] = {}

    def on_start(self, trainer: Trainer) -> None:
        self._watched = trainer.model.watched
        if not self._watched:
            return
        if self._run is None:
            raise RunError(
                f"record={trainer.model.config.training.record!r} without a folder",
                "one for recorded.npz",
                "write fit(out=...)",
                argument="record",
            )
        folder, file = self._run.folder / "recorded", self._run.folder / "recorded.npz"
        if not folder.is_dir() and file.is_file():
            _unpack(file, folder)
        make_folder(folder)
        arrays = {name: buffer for each in self._watched.values() for name, buffer in each.items()}
        done = trainer.progress.done
        self._streams = {name: _Stream(folder, n, name, b) for n, (name, b) in enumerate(arrays.items())}
        for stream in self._streams.values():
            stream.cut(done)
        if done == 0:  # what a batch makes is not there yet
            self._note(done, {name: buffer for name, buffer in arrays.items() if buffer.base.lasts})

    def on_batch(self, trainer: Trainer) -> None:
        done = trainer.progress.done
        if self._streams and done % trainer.model.config.training.record_every == 0:
            self._note(done, self._watched.get(trainer.progress.phase, {}))

    def on_stop(self, trainer: Trainer) -> None:
        for stream in self._streams.values():
            stream.close()
        if self._streams and not trainer.failed and self._run is not None:
            streams = list(self._streams.values())
            write_whole(self._run.folder / "recorded.npz", lambda file: _pack(file, streams))
            shutil.rmtree(self._run.folder / "recorded")
        self._streams = {}

    def _note(self, done: int, arrays: Mapping[str, Buffer]) -> None:
        for name, buffer in arrays.items():
            self._streams[name].add(done, buffer.host())


class _Stream:
    """One array over time, in two files: what it held, and when."""

    def __init__(self, folder: Path, number: int, name: str, buffer: Buffer):
        self.name, self.shape, self.dtype = name, buffer.shape, buffer.dtype
        self.values, self.times = folder / f"{number}.values", folder / f"{number}.times"
        self._files: list[BinaryIO] = []

    def cut(self, done: int) -> None:
        """Drop what was noted after so many batches, and what was not written whole."""
        size = int(np.prod(self.shape)) * self.dtype.itemsize
        times = np.fromfile(self.times, np.int64) if self.times.is_file() else np.zeros(0, np.int64)
        whole = self.values.stat().st_size // size if self.values.is_file() else 0
        count = min(int((times <= done).sum()), whole)
        for path, length in ((self.values, count * size), (self.times, count * 8)):
            path.touch()
            with path.open("r+b") as file:
                file.truncate(length)
        self._files = [self.values.open("ab"), self.times.open("ab")]

    def add(self, done: int, array: Array) -> None:
        """Note what it holds now."""
        for file, each in zip(self._files, (array, np.int64(done)), strict=True):
            file.write(np.ascontiguousarray(each).tobytes())
            file.flush()

    def close(self) -> None:
        """No more is noted."""
        for file in self._files:
            file.close()

    def members(self) -> Iterator[tuple[str, Path, Any, tuple[int, ...]]]:
        """Name in the archive, file, type, and shape of one moment."""
        yield self.name, self.values, self.dtype, self.shape
        yield self.name + BATCH, self.times, np.dtype(np.int64), ()


def _pack(file: BinaryIO, streams: list[_Stream]) -> None:
    """All streams as one archive that `numpy.load` opens, a part at a time; how they stood in the folder beside them."""
    order = np.frombuffer(json.dumps([stream.name for stream in streams]).encode(), np.uint8)
    with zipfile.ZipFile(file, "w") as archive:
        for stream in streams:
            for name, path, dtype, shape in stream.members():
                count = path.stat().st_size // (int(np.prod(shape)) * dtype.itemsize)
                head = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (count, *shape)}
                with archive.open(_entry(name), "w", force_zip64=True) as out, path.open("rb") as source:
                    np.lib.format.write_array_header_1_0(out, head)
                    shutil.copyfileobj(source, out, 2**20)
        with archive.open(_entry("names"), "w") as out:
            np.lib.format.write_array(out, order)


def _entry(name: str) -> zipfile.ZipInfo:
    """A member without a date: the same contents are the same file."""
    return zipfile.ZipInfo(f"{name}.npy")


def _unpack(file: Path, folder: Path) -> None:
    """The streams of an archive, to go on with.

    Raises:
        RunError: an archive that cannot be read.
    """
    damaged = File(file, "the file that the run wrote", "move it away to record from here on")
    with damaged.open() as opened, zipfile.ZipFile(opened) as archive, archive.open("names.npy") as names:
        order = check(parsed(names.read(LARGEST_ORDER).rpartition(b"\n")[2].decode("utf-8")), [str])
        make_folder(folder)
        for number, name in enumerate(order):
            for member, path in ((name, f"{number}.values"), (name + BATCH, f"{number}.times")):
                size = archive.getinfo(f"{member}.npy").file_size
                if size > size_of(opened):  # they were not packed
                    raise ValueError(f"{member} declares {size:,} bytes")
                with archive.open(f"{member}.npy") as source, (folder / path).open("wb") as out:
                    npy_head(source, size)  # type: ignore[arg-type]
                    shutil.copyfileobj(source, out, 2**20)
