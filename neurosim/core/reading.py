"""Files read: in this one place, so that any damage becomes one line: what, where, how to correct it.

A file of somebody else's is data. Nothing in it is run; what it declares is compared with its own size and with the memory
that is there before any of it is spent; fifos and devices, which may never end, are not opened.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import stat
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neurosim.core import archives
from neurosim.core.memory import room
from neurosim.core.records import Shape, check, parsed
from neurosim.core.typing import Array
from neurosim.errors import NeurosimError, RunError

TEXT = 1 << 25  # bytes of a text that is read whole
SMALL = 1 << 26  # bytes that any packed file may unpack to
RATIO = 200  # beyond that, times its own size; numbers that were learned or seen do not pack nearly as well
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a fifo", stat.S_IFSOCK: "a socket"}


def opened(path: Path | str) -> BinaryIO:
    """A plain file, open for reading; others are not waited for.

    Raises:
        OSError: it cannot be opened, or is none.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(path, flags)  # without waiting for the other end of a fifo
    try:
        kind = stat.S_IFMT(os.fstat(handle).st_mode)
        if kind != stat.S_IFREG:
            raise OSError(0, f"{_KINDS.get(kind, 'a device')}, no plain file")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def why(problem: BaseException) -> str:
    """What went wrong while a file was read, in a few words on one line."""
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    if isinstance(problem, RecursionError):
        return "nested too deep"
    words = " ".join(str(problem).split())
    return words[:200] if words else "not enough memory" if isinstance(problem, MemoryError) else type(problem).__name__


def size_of(file: BinaryIO) -> int:
    """Bytes of an open file."""
    return os.fstat(file.fileno()).st_size


def allowed(packed: int) -> int:
    """Bytes that so many packed ones may unpack to."""
    return min(max(SMALL, RATIO * packed), room())


@dataclass(frozen=True)
class File:
    """A file that is read. Each method raises `error`, in one line, for whatever is wrong with the file.

    Args:
        path: of it.
        expected: what it should be, in words.
        hint: how to correct it.
        error: the kind of error.
    """

    path: Path
    expected: str = "the file as the run wrote it"
    hint: str = "train anew into another folder"
    error: type[NeurosimError] = RunError

    def damaged(self, cause: BaseException | str) -> NeurosimError:
        """The error of a file that is damaged so."""
        words = cause if isinstance(cause, str) else why(cause)
        return self.error(f"{self.path} cannot be read ({words})", self.expected, self.hint)

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """Whatever goes wrong within is said of the file: a damaged one may fail in any way at all."""
        try:
            yield
        except NeurosimError:
            raise
        except Exception as problem:
            raise self.damaged(problem) from None

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The plain file, open for reading, as in `whole`."""
        with self.whole(), opened(self.path) as file:
            yield file

    def read(self, most: int | None = None) -> bytes:
        """All of it; ``most``: bytes that it may have, else as many as there is memory for."""
        with self.open() as file:
            size, most = size_of(file), room() if most is None else most
            if size > most:
                raise ValueError(f"{size:,} bytes, more than {most:,}")
            return file.read(most + 1 if size == 0 else size)

    def unpacked(self) -> bytes:
        """All of it, unpacked where it is packed by gzip."""
        data = self.read()
        if data[:2] != b"\x1f\x8b":
            return data
        with self.whole():
            parts, most = [], allowed(len(data))
            while data:  # members follow one another
                member = zlib.decompressobj(16 + zlib.MAX_WBITS)
                parts.append(member.decompress(data, most + 1))
                most -= len(parts[-1])
                if most < 0:
                    raise ValueError(f"{len(data):,} packed bytes unpack to more than is believed")
                if not member.eof:
                    raise ValueError("cut short")
                data = member.unused_data.lstrip(b"\0")
            return b"".join(parts)

    def text(self) -> str:
        """A text in UTF-8."""
        data = self.read(TEXT)
        with self.whole():
            return data.decode("utf-8")

    def json(self, shape: Shape = dict) -> Any:
        """A record, of a shape that `neurosim.core.records.check` holds."""
        text = self.text()
        with self.whole():
            return check(parsed(text), shape)

    def toml(self) -> dict[str, Any]:
        """Tables."""
        text = self.text()
        with self.whole():
            return tomllib.loads(text)

    def rows(self) -> list[dict[str, str]]:
        """The rows of a table of comma-separated texts; the first line has their names."""
        text = self.text()
        with self.whole():
            lines = csv.DictReader(io.StringIO(text, newline=""), strict=True)
            found = list(lines)
            names = lines.fieldnames or []
            if len(set(names)) < len(names):
                raise ValueError("a column twice")
            if any(None in row or None in row.values() for row in found):
                raise ValueError("a line with more or fewer columns than the first")
            return found

    def npz(self) -> dict[str, Array]:
        """The arrays of a NumPy archive, by name."""
        with self.open() as file:
            return archives.npz(file, allowed(size_of(file)))

    def npy(self) -> Array:
        """The array of a NumPy file, mapped: it takes no memory before it is read."""
        with self.open() as file:
            head = archives.npy_head(file, size_of(file))
            return np.memmap(self.path, head.dtype, "r", file.tell(), head.shape, head.order)

    def safetensors(self) -> tuple[dict[str, Array], dict[str, str]]:
        """Arrays by name, and the texts beside them."""
        with self.open() as file:
            return archives.safetensors(file, size_of(file))
