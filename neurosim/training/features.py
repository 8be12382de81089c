"""Features out of an experiment: of pictures in memory, or of a whole data set, streamed into a file."""

from __future__ import annotations

import itertools
import mmap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np

from neurosim.core.writing import write_whole
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError, RunError, WiringError
from neurosim.readout import encoding, tables
from neurosim.readout.features import pictures
from neurosim.readout.floor import changed
from neurosim.training.config import Config
from neurosim.training.stream import load_other
from neurosim.training.trust import foreign_of, require_trust

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.data.dataset import Dataset
    from neurosim.readout.encoding import Layers, Selection
    from neurosim.readout.features import Encoder
    from neurosim.training.model import Model

PARTS = ("train", "readout", "test")
KINDS = {name: name for name in ("data", "network", "rule", "loss", "plasticity")} | {"views": "deformation"}
READ = 1024  # pictures that are read at once


def unseen(done: int, total: int) -> None:
    """Shows no progress."""


@dataclass(frozen=True)
class Encoded:
    """What was written. It prints as a line.

    Args:
        path: of the file.
        pictures: how many.
        layers: which, in words.
        columns: the arrays, their widths and their type.
        beside: what else the file holds.
    """

    path: Path
    pictures: int
    layers: str
    columns: tables.Columns
    beside: tuple[str, ...]

    def __str__(self) -> str:
        named = zip(self.columns.names, self.columns.widths, strict=True)
        arrays = ", ".join(f"{name} ({width} numbers a picture)" for name, width in named)
        beside = f"; beside: {', '.join(self.beside)}" if self.beside else ""
        return f"{self.path}: {self.pictures:,} pictures, {self.layers}: {arrays}, {self.columns.dtype}{beside}"


class Featured:
    """What an experiment gives of its features; see `neurosim.experiment.Experiment`."""

    model: Model
    config: Config

    @property
    def data(self) -> Dataset:
        """The pictures that it learns from."""
        raise NotImplementedError

    @classmethod
    def configured(cls, text: str | None, trust: Iterable[str] | None = (), **keywords: Any) -> Self:
        """One of a configuration as config.json has it, with weights as they are drawn, to put others in their place.

        Args:
            text: of the file; None: of the keywords alone.
            trust: somebody else's code, ``module:Class``, that may run because the text names it; None: the text is our own.
            **keywords: what is to be otherwise.

        Raises:
            NeurosimError: what cannot be had; code of somebody else's that was not named again.
        """
        made: Any = cls
        if text is None:
            return made(**keywords)  # type: ignore[no-any-return]
        config = Config.from_json(text, "the configuration in the file")
        other = [section for section, kind in KINDS.items() if keywords.get(kind) is not None]
        require_trust("the configuration in the file", [] if trust is None else foreign_of(config, other), trust or ())
        # A part that was given from Python has no name to be found by; what only trains is of no use here.
        unknown = {"rule": "none", "loss": "hinge", "plasticity": "signum"}
        gone = {kind: other for kind, other in unknown.items() if config.flat()[kind].startswith("<")}
        return made(config.replace(**gone), **keywords)  # type: ignore[no-any-return]

    def _learned(self) -> tuple[int, ...]:
        return changed(self.model.network, self.model.encoder(untrained=True).network)

    @overload
    def encode(self, images: Array, layer: int | Literal["together"] | None = None) -> Array: ...

    @overload
    def encode(self, images: Array, layer: Sequence[int] | Literal["all"]) -> dict[int, Array]: ...

    def encode(self, images: Array, layer: Layers = None) -> Array | dict[int, Array]:
        """Features of pictures.

        Args:
            images: ``(sample, row, column, channel)``, uint8, or floating numbers in 0 .. 1.
            layer: from 1, the bottom; None: the top; ``"together"``: all that learned, side by side; several, or
                ``"all"``: each by itself.

        Returns:
            float32 ``(sample, feature)``: activity averaged over a grid of at most 4 x 4 places. Of several layers by number.
            The bits do not depend on the number of threads, and are those that `encode_to` writes.

        Raises:
            DataError: pictures of another shape or type, or no such layer.
        """
        seen, encoder = pictures(images, self.model.image), self.model.encoder()
        selection = encoding.select(encoder, layer, self._learned)
        with ThreadTeam(self.config.training.threads) as team:
            groups = list(encoding.stream(encoder, [seen], selection, team))
        if not groups:
            widths = _widths(encoder, selection)
            groups = [[np.zeros((0, width), np.float32) for width in widths]]
        made = [np.concatenate(parts).astype(np.float32, copy=False) for parts in zip(*groups, strict=True)]
        if selection.single or selection.joined:
            return made[0]
        return dict(zip(selection.layers, made, strict=True))

    def encode_to(
        self,
        path: str | Path,
        data: object = None,
        layer: Layers = None,
        *,
        part: str = "all",
        dtype: str = "float32",
        data_dir: str | Path | None = None,
        batch: int = READ,
        force: bool = False,
        show: Callable[[int, int], object] = unseen,
    ) -> Encoded:
        """Write features of a data set into a file, picture after picture; memory does not grow with their number.

        Args:
            path: ends in .npz, .npy, .csv or .parquet.
            data: a name, a `Dataset` or arrays, as an experiment takes them; None: its own. layer: as for `encode`.
            part: ``train``, ``test``, ``readout`` (pictures for the read-out alone), or ``all``.
            dtype: ``float32`` or ``float16``. data_dir: where files that can be fetched are; None: where they were.
            batch: pictures that are read at once; the bits do not depend on it.
            force: write over a file that is there. show: called with the pictures done and their number.

        Raises:
            DataError: pictures of another size, no such layer or part, or a name with another ending.
            RunError: the file is there already, or cannot be written.
        """
        path, encoder = Path(path), self.model.encoder()
        selection = encoding.select(encoder, layer, self._learned)
        _check(path, selection, dtype, batch, force)
        found = self.data if data is None else load_other(self.config, data, data_dir, self.model.image)
        same_size(found, self.model.image)
        columns = tables.Columns(selection.names, _widths(encoder, selection), dtype, path.parent)
        rows, read = _listed(found, part)
        with ThreadTeam(self.config.training.threads) as team:
            groups = _shown(encoding.stream(encoder, read(batch), selection, team), len(rows), show)
            return _written(path, str(selection), columns, rows, groups)


def _written(
    path: Path, layers: str, columns: tables.Columns, rows: tables.Rows, groups: Iterator[list[Array]]
) -> Encoded:
    """Write the file, and say what is in it."""
    ending = path.suffix.lower()
    rounded = ([encoding.rounded(array, columns.dtype) for array in group] for group in groups)
    write_whole(path, lambda file: tables.write(file, ending, columns, rows, rounded), "choose another name")
    beside = () if ending == ".npy" else (*rows.columns(), *["classes"] * bool(rows.classes and ending != ".csv"))
    return Encoded(path, len(rows), layers, columns, beside)


def _check(path: Path, selection: Selection, dtype: str, batch: int, force: bool) -> None:
    """Refuse what cannot be written, before anything is read."""
    tables.check(path, len(selection.names))
    encoding.rounded(np.zeros(0, np.float32), dtype)
    if path.exists() and (not force or path.is_dir()):
        raise RunError(f"{path} is there already", "a new file", "choose another name, or write force=True")
    if not path.parent.is_dir():
        raise RunError(f"no folder {path.parent}", "a folder to write to", "make it first")
    if batch < 1:
        raise WiringError(f"batch={batch}", "1 or more", f"write batch={READ}", argument="batch")


def same_size(data: Dataset, image: tuple[int, int, int]) -> None:
    """Refuse pictures of another size than the network learned from."""
    if data.image_shape != image:
        found, wanted = ("x".join(map(str, each)) for each in (data.image_shape, image))
        raise DataError(
            f"pictures of {data.name} are {found}", f"{wanted}, as the network learned from", "scale them to that size"
        )


def _widths(encoder: Encoder, selection: Selection) -> tuple[int, ...]:
    widths = [encoder.width(number) for number in selection.layers]
    return (sum(widths),) if selection.joined else tuple(widths)


def _shown(groups: Iterator[list[Array]], total: int, show: Callable[[int, int], object]) -> Iterator[list[Array]]:
    done = 0
    show(0, total)
    for group in groups:
        yield group
        done += len(group[0])
        show(done, total)


def _listed(data: Dataset, part: str) -> tuple[tables.Rows, Callable[[int], Iterator[Array]]]:
    """What is known of every picture, and how the pictures are read, some at a time; files in the order of their names.

    Raises:
        DataError: no such part, or none in these data.
    """
    there = [each for each in PARTS if getattr(data, f"{each}_images") is not None]
    chosen = there if part == "all" else [part]
    if not set(chosen) <= set(there):
        raise DataError(f"{data.name} has no part {part!r}", f"all, {' or '.join(there)}", "write part='all'")
    images = [getattr(data, f"{each}_images") for each in chosen]
    counts = [len(each) for each in images]
    labels = [getattr(data, f"{each}_labels") for each in chosen]
    names = [getattr(data, f"{each}_names", None) for each in chosen]
    which, place = np.repeat(np.arange(len(chosen)), counts), np.concatenate([np.arange(count) for count in counts])
    named = np.concatenate([np.array(each) for each in names]) if all(each is not None for each in names) else None
    order = np.arange(sum(counts)) if named is None else np.argsort(named, kind="stable")
    label = None
    if any(each is not None for each in labels):
        pairs = zip(labels, counts, strict=True)
        label = np.concatenate([np.full(count, -1, np.int64) if own is None else own for own, count in pairs])[order]
    which, place = which[order], place[order]
    rows = tables.Rows(np.array(chosen)[which], None if named is None else named[order], label, data.classes)

    def read(batch: int) -> Iterator[Array]:
        for start in range(0, len(order), batch):
            of, at = which[start : start + batch], place[start : start + batch]
            ends = [0, *np.flatnonzero(np.diff(of)) + 1, len(of)]
            for first, last in itertools.pairwise(ends):
                yield _taken(images[of[first]], at[first:last])
                _let_go(images[of[first]])

    return rows, read


def _taken(images: Any, at: Array) -> Array:
    """Some pictures; those that follow one another as a slice, which reads a file once from its beginning to its end."""
    run = len(at) and at[-1] - at[0] == len(at) - 1 and bool((np.diff(at) == 1).all())
    return np.asarray(images[at[0] : at[-1] + 1] if run else images[at])


def _let_go(images: Any) -> None:
    """Let the system have back what was read of a memory map, which else counts as this process's as long as it is open."""
    mapped = getattr(images, "_mmap", None)
    if mapped is not None and not images.flags.writeable and hasattr(mapped, "madvise"):
        mapped.madvise(mmap.MADV_DONTNEED)
