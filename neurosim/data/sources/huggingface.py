"""Data sets that Hugging Face's ``datasets`` wrote with ``save_to_disk``: ``huggingface:FOLDER``; needs the extra ``data``."""

from __future__ import annotations

import functools
import io
import os
from pathlib import Path
from typing import Any, BinaryIO

from neurosim.core.reading import File, opened, why
from neurosim.data.pictures.gathered import Gathered
from neurosim.data.pictures.survey import Item
from neurosim.data.pictures.walk import TEST
from neurosim.data.sources.encoded import Encoded
from neurosim.data.sources.parquet import LABELS
from neurosim.data.sources.webdataset import gathered
from neurosim.errors import DataError


class HuggingFace(Encoded):
    """A data set or a dictionary of splits: ``train``, and ``test`` or ``validation``."""

    name = "huggingface:FOLDER"
    summary = "what datasets' save_to_disk wrote: one set, or splits train and test"

    @staticmethod
    def claims(name: str) -> bool:
        """Whether a name is ``huggingface:`` and a path."""
        return name.startswith("huggingface:") and name != "huggingface:"

    def gather(self) -> Gathered:
        """Read the labels; pictures are read from the memory map, one after another."""
        folder = os.path.expanduser(self.asked.removeprefix("huggingface:"))
        try:
            import datasets
        except ImportError:
            hint = "pip install 'neurosim[data]'"
            raise DataError("huggingface: needs datasets, which is not installed", "the extra data", hint) from None
        with File(Path(folder), "what save_to_disk wrote", "check the path", DataError).whole():
            found: Any = datasets.load_from_disk(folder)
        splits = dict(found) if isinstance(found, dict) else {"": found}
        test = next((name for name in TEST if name in splits), None)
        if "train" in splits and test is not None:
            splits = {"train": splits["train"], "test": splits[test]}
        items: list[Item] = []
        kinds: list[str | None] = []
        tests: list[bool] = []
        classes: tuple[str, ...] = ()
        for split, rows in splits.items():
            image, label = _columns(folder, rows, datasets)
            pictures = rows.cast_column(image, datasets.Image(decode=False))
            names = getattr(rows.features.get(label), "names", None)
            values = rows[label] if label else [None] * len(rows)
            classes = tuple(names) if names else ()
            kinds += [None if value is None else names[value] if names else str(value) for value in values]
            before = f"{split} " if split else ""
            items += [
                Item(f"{before}row {row}", functools.partial(_open, pictures, image, row)) for row in range(len(rows))
            ]
            tests += [split == "test"] * len(rows)
        return gathered(self.asked, items, kinds, tests, classes=classes)


def _columns(folder: str, rows: Any, datasets: Any) -> tuple[str, str | None]:
    """The column of pictures and that of classes."""
    features = rows.features
    images = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
    if not images:
        raise DataError(f"{folder} has the columns {', '.join(features)}", "a column of Image", "cast one to Image")
    named = [name for name, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    label = next(iter([*named, *(word for word in LABELS if word in features)]), None)
    return images[0], label


def _open(pictures: Any, image: str, row: int) -> BinaryIO:
    try:
        value = pictures[row][image]
    except Exception as error:  # a damaged file may fail in any way at all
        raise OSError(0, why(error)) from None
    if value.get("bytes") is not None:
        return io.BytesIO(value["bytes"])
    return opened(value["path"])
