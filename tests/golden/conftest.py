"""The numerical cases: files of inputs and results that every form of a kernel must give."""

import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def golden():
    """Gives ``golden(name)``: the arrays of ``name.npz`` by their keys, ``meta`` (JSON text) among them.

    The folder is the one named by NEUROSIM_GOLDEN, or else ``cases`` beside this file. A file that is not there is a
    failure, never a skip.
    """
    folder = Path(os.environ.get("NEUROSIM_GOLDEN") or Path(__file__).parent / "cases")

    def load(name: str) -> dict[str, np.ndarray]:
        path = folder / f"{name}.npz"
        if not path.is_file():
            pytest.fail(f"{path} is missing; the numerical cases must be there (or where NEUROSIM_GOLDEN points)")
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)

    return load
