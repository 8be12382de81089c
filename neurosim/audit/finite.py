"""Numbers that are not finite are evidence of nothing: whatever equals NaN, or sums to infinity, says neither yes nor no."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neurosim.core.typing import Array

EXPECTED = "numbers that are finite"
HINT = "lower the rate, or correct the step; until then nothing can be decided"


def unfit(where: str, arrays: Mapping[str, Array]) -> str:
    """Which numbers are not finite, in words; empty: all are.

    Args:
        where: what left them there, in words.
        arrays: by name.
    """
    for name, values in arrays.items():
        if values.dtype.kind != "f" or np.isfinite(values).all():
            continue
        infinite, missing = int(np.isinf(values).sum()), int(np.isnan(values).sum())
        words = [f"{infinite} infinite"] * bool(infinite) + [f"{missing} that are none (NaN)"] * bool(missing)
        return f"{where}: of {values.size} numbers of {name}, {' and '.join(words)}"
    return ""


def require_finite(where: str, arrays: Mapping[str, Array]) -> None:
    """Refuse to judge by what a rule leaves where it is not finite; arguments as for `unfit`.

    Raises:
        UndecidedError: some numbers are not.
    """
    if found := unfit(where, arrays):
        raise UndecidedError(found, EXPECTED, HINT)
