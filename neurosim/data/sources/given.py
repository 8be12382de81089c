"""Images that are given from Python, as a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from neurosim.core.typing import Array
from neurosim.data.dataset import Dataset
from neurosim.data.sources.base import Source
from neurosim.data.sources.npz import KEYS, of_arrays

NAME = "<arrays>"


class Given(Source):
    """A `Dataset`, or arrays, that somebody has already.

    Args:
        data: the data set; or its images; or images and labels; or a mapping with ``images`` and, where they are there,
            ``labels``, ``test_images`` and ``test_labels``.

    Raises:
        DataError: arrays that cannot be used.
    """

    def __init__(self, data: Dataset | Mapping[str, Array] | tuple[Array, ...] | Array) -> None:
        if isinstance(data, Dataset):
            self.dataset = data
        else:
            if not isinstance(data, Mapping):
                data = dict(zip(KEYS, data if isinstance(data, tuple) else (data,), strict=False))
            self.dataset = of_arrays(NAME, {name: np.asarray(array) for name, array in data.items()})
        super().__init__(self.dataset.name)
        self.motion = self.dataset.train_images.ndim == 5  # type: ignore[misc]  # of this one, not of its class

    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """The data set as it was given; arguments as `Source.load`."""
        return self.dataset
