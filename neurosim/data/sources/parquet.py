"""Picture files in parquet, as the Hugging Face hub keeps them: ``parquet:FILE`` or ``parquet:FOLDER``; the extra ``data``."""

from __future__ import annotations

import functools
import glob
import io
import os
import threading
from pathlib import Path
from typing import Any, BinaryIO

from neurosim.core.reading import File, why
from neurosim.data.pictures.gathered import Gathered
from neurosim.data.pictures.survey import Item
from neurosim.data.pictures.walk import TEST
from neurosim.data.sources.encoded import Encoded
from neurosim.data.sources.webdataset import gathered
from neurosim.errors import DataError

IMAGES = ("image", "img", "picture", "jpg", "png")
LABELS = ("label", "labels", "class", "fine_label", "cls")


class Parquet(Encoded):
    """A column of encoded pictures (``image``, bytes or with ``bytes`` in it), and one of classes (``label``)."""

    name = "parquet:PATH"
    summary = "parquet files with a column image and, where there are labels, label"

    @staticmethod
    def claims(name: str) -> bool:
        """Whether a name is ``parquet:`` and a path."""
        return name.startswith("parquet:") and name != "parquet:"

    def gather(self) -> Gathered:
        """Read the labels; the pictures are read row group by row group."""
        asked = os.path.expanduser(self.asked.removeprefix("parquet:"))
        pattern = os.path.join(glob.escape(asked), "**", "*.parquet") if os.path.isdir(asked) else asked
        files = sorted(map(Path, glob.glob(pattern, recursive=True)))
        if not files:
            raise DataError(f"no parquet files at {asked}", "a file, or a folder of them", "check the path")
        items: list[Item] = []
        kinds: list[str | None] = []
        tests: list[bool] = []
        for file in files:
            table = _Table(file)
            items += [
                Item(f"{file.name}, row {row}", functools.partial(table.open, row)) for row in range(len(table.kinds))
            ]
            kinds += table.kinds
            tests += [any(word in file.name for word in TEST) and "train" not in file.name] * len(table.kinds)
        return gathered(self.asked, items, kinds, tests)


class _Table:
    """One file; the last row group that was asked for is kept."""

    def __init__(self, path: Path) -> None:
        try:
            from pyarrow import parquet
        except ImportError:
            hint = "pip install 'neurosim[data]'"
            raise DataError("parquet: needs pyarrow, which is not installed", "the extra data", hint) from None
        with File(path, "a parquet file", "replace it", DataError).open():
            self.file: Any = parquet.ParquetFile(path, memory_map=True)
            names = self.file.schema_arrow.names
            image, label = (next((word for word in words if word in names), None) for words in (IMAGES, LABELS))
            if image is None:
                raise DataError(
                    f"{path} has the columns {', '.join(names)}", f"one of {', '.join(IMAGES)}", "rename one"
                )
            self.column = image
            labels = [] if label is None else self.file.read(columns=[label]).column(0).to_pylist()
        self.kinds = [None if kind is None else str(kind) for kind in labels] or [None] * self.file.metadata.num_rows
        groups = range(self.file.metadata.num_row_groups)
        self.starts = [sum(self.file.metadata.row_group(each).num_rows for each in groups[:n]) for n in groups]
        self.lock, self.held, self.rows = threading.Lock(), -1, []  # type: ignore[var-annotated]

    def open(self, row: int) -> BinaryIO:
        """The bytes of one picture, as a file.

        Raises:
            OSError: there are none in this row.
        """
        group = max(number for number, start in enumerate(self.starts) if start <= row)
        with self.lock:
            if self.held != group:
                try:
                    self.rows = self.file.read_row_group(group, columns=[self.column]).column(0).to_pylist()
                except Exception as error:  # a damaged file may fail in any way at all
                    raise OSError(0, why(error)) from None
                self.held = group
            place = row - self.starts[group]
            if not 0 <= place < len(self.rows):
                raise OSError(0, "its row group has fewer rows than the file says")
            value = self.rows[place]
        data = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(data, bytes):
            raise OSError(0, "no bytes in this row")
        return io.BytesIO(data)
