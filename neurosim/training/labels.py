"""Who reads the labels of a data set, and what follows where they are others: for whoever asks what a rule knows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from neurosim.data.dataset import Dataset

LABELS = frozenset({"train_labels", "test_labels", "readout_labels"})
THROUGH = ("neurosim", "dataclasses", "copy")  # code that only hands labels on


@contextmanager
def watched_labels(others: bool = False) -> Iterator[list[str]]:
    """Note who reads the labels of any data set meanwhile, besides this package.

    Args:
        others: give them other labels: the largest first.

    Yields:
        Who did: function, file and line.
    """
    found: list[str] = []

    def read(data: Dataset, name: str) -> Any:
        value = object.__getattribute__(data, name)
        if name not in LABELS or value is None or (reader := _reader(sys._getframe(1))) is None:
            return value
        found.append(reader)
        return np.max(value, initial=0) - value if others else value

    Dataset.__getattribute__ = read  # type: ignore[method-assign, assignment]
    try:
        yield found
    finally:
        del Dataset.__getattribute__


def _reader(frame: FrameType | None) -> str | None:
    """Who asks: the nearest code that is not this package's; None where this package alone asks for itself."""
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in THROUGH[1:]:
        frame = frame.f_back
    if frame is None or frame.f_globals.get("__name__", "").split(".")[0] == THROUGH[0]:
        return None
    return f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}, line {frame.f_lineno})"
