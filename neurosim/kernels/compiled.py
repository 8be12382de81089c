"""Loops that Numba compiles, for kernels whose NumPy form passes over large arrays many times.

The NumPy form stays the specification on the CPU: a compiled form gives the same bits, in one pass. It is used where training
runs and Numba is installed; the audit always runs and records the NumPy forms. A kernel registers such a form as
``@kernel.compiled``; it is given the compiler first, as the form of a GPU is given what launches.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from neurosim.core.backend import Backend
from neurosim.core.kernel import Kernel

Loop: TypeAlias = Callable[..., None]


class Numba:
    """Compiles loops by Numba. Sums and products are rounded one by one, as NumPy's are, and other threads run meanwhile."""

    @property
    def version(self) -> str:
        """Numba's."""
        return importlib.metadata.version("numba")

    def takes(self, kernel: Kernel) -> bool:
        """Whether it is this package's own, in its place, with a compiled form.

        The audit records the NumPy form. Somebody else's compiled form could do anything beside it, so it never runs.
        """
        home = sys.modules.get(kernel.origin)
        return kernel.builtin and getattr(home, kernel.name, None) is kernel and kernel.has("compiled")

    def __call__(self, loop: Loop) -> Loop:
        """The loop as machine code, kept on disk for the next start where there is a folder for it."""
        return _compile(loop)


@cache
def _compile(loop: Loop) -> Loop:
    import numba  # half a second, which only training needs

    def made(kept: bool) -> Any:
        return numba.njit(loop, nogil=True, fastmath=False, error_model="numpy", cache=kept)

    try:
        return made(kept=True)  # type: ignore[no-any-return]
    except RuntimeError:  # no folder that can be written
        return made(kept=False)  # type: ignore[no-any-return]


def faster(backend: Backend) -> Backend:
    """The same backend with compiled forms where there are any; itself on other devices, and without Numba."""
    if backend.name != "cpu" or importlib.util.find_spec("numba") is None:
        return backend
    return Backend(backend.name, compiler=Numba())
