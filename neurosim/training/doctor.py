"""What this machine is, and whether training can work on it: a line a check."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

import neurosim
from neurosim.core.cores import cores
from neurosim.core.memory import room
from neurosim.core.reading import why
from neurosim.data.cache import user_cache
from neurosim.data.sources.loading import default_dir
from neurosim.errors import NeurosimError
from neurosim.kernels.devices import backend

LEAST = {"numpy": (1, 26), "scipy": (1, 11), "pillow": (10, 0), "click": (8, 1), "threadpoolctl": (3, 1)}
EXTRAS = ("matplotlib", "numba", "onnxruntime", "pyarrow", "safetensors", "scikit-learn", "torch")
MEMORY, DISK = 1 << 29, 1 << 30  # bytes below which a small training may fail
PYTHON = (3, 11)


@dataclass(frozen=True)
class Line:
    """What one check found.

    Args:
        name: of the check.
        text: what is there, and where it is wrong how to correct it.
        state: ``ok``; ``note``: training works, something beside it does not; ``wrong``: training cannot work.
    """

    name: str
    text: str
    state: str = "ok"

    def __str__(self) -> str:
        return f"{self.name:9} {self.state:5} {self.text}"

    def json(self) -> dict[str, Any]:
        """As data."""
        return asdict(self)


def examine() -> list[Line]:
    """All checks; each says itself what fails in it, and none ends the others."""
    found: list[Line] = []
    for name, check in CHECKS.items():
        try:
            found += [Line(name, *each) for each in check()]
        except Exception as problem:  # a machine may be broken in any way at all
            found.append(Line(name, f"it cannot be examined ({type(problem).__name__}: {why(problem)})", "wrong"))
    return found


def _python() -> Iterator[tuple[str, str]]:
    text = f"{platform.python_version()} ({sys.executable}), neurosim {neurosim.__version__}, {platform.platform()}"
    if sys.version_info < PYTHON:
        yield f"{text}; expected 3.11 or newer; install a newer Python", "wrong"
    else:
        yield text, "ok"


def _packages() -> Iterator[tuple[str, str]]:
    versions = {name: _version(name) for name in (*LEAST, *EXTRAS)}
    old = [
        f"{name} {versions[name] or 'is missing'}" for name, least in LEAST.items() if _parts(versions[name]) < least
    ]
    if old:
        needs = ", ".join(f"{name} {'.'.join(map(str, least))}" for name, least in LEAST.items())
        yield f"{', '.join(old)}; expected at least {needs}; pip install --upgrade neurosim", "wrong"
    yield ", ".join(f"{name} {version or 'not installed'}" for name, version in versions.items()), "ok"


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _parts(version: str | None) -> tuple[int, ...]:
    numbers = [part for part in (version or "0").split(".")[:2] if part.isdigit()]
    return tuple(map(int, numbers))


def _cores() -> Iterator[tuple[str, str]]:
    count, limit = cores()
    yield f"{count} of {os.cpu_count()}: {limit}", "ok"


def _blas() -> Iterator[tuple[str, str]]:
    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    a = np.arange(64 * 64, dtype=np.float64).reshape(64, 64) / 4096
    if not np.allclose(a @ a, np.einsum("ij,jk->ik", a, a)):
        yield "a product of two matrices is wrong; expected what loops give; install NumPy anew", "wrong"
    words = [f"{each['internal_api']} {each['version']} ({each.get('architecture', '?')})" for each in found]
    yield (", ".join(words), "ok") if words else ("none is known: products may be slow", "note")


def _memory() -> Iterator[tuple[str, str]]:
    free = room()
    text = f"{free / 1e9:.1f} GB can be had"
    little = "; expected 0.5 GB; close other programs, or train with a smaller batch"
    yield text + (little if free < MEMORY else ""), "wrong" if free < MEMORY else "ok"


def _gpu() -> Iterator[tuple[str, str]]:
    try:
        device = backend("gpu").device
    except NeurosimError as problem:
        yield f"none is used: {problem}", "note"
        return
    assert device is not None
    versions: dict[str, object] = getattr(device, "versions", dict)()
    words = ", ".join(f"{name} {version}" for name, version in versions.items())
    yield f"{device.name}, {device.free() / 1e9:.1f} GB free; {words}", "ok"


def _folders() -> Iterator[tuple[str, str]]:
    runs = Path("runs") if Path("runs").exists() else Path()
    yield _written("runs, in this folder", runs, "wrong", "change to a folder of your own, or give --out")
    yield _written("temporary files", Path(tempfile.gettempdir()), "wrong", "set TMPDIR to a folder of your own")
    yield _written("the cache", user_cache(), "note", "set XDG_CACHE_HOME; without it pictures are made at every start")
    yield _written("fetched data", default_dir(), "note", "set NEUROSIM_DATA, or give --data-dir")


def _written(what: str, folder: Path, state: str, hint: str) -> tuple[str, str]:
    """Whether a file can be made in a folder, or in the one above it where that is still to be made."""
    there = next((each for each in (folder, *folder.absolute().parents) if each.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(there).free
    except OSError as problem:
        return f"{what} ({folder.absolute()}) cannot be written: {why(problem)}; {hint}", state
    if free < DISK:
        return f"{what} ({folder.absolute()}) has {free / 1e6:.0f} MB left; free some", "note"
    return f"{what} ({folder.absolute()}), {free / 1e9:.0f} GB free", "ok"


CHECKS: dict[str, Callable[[], Iterator[tuple[str, str]]]] = {
    "python": _python,
    "packages": _packages,
    "cores": _cores,
    "blas": _blas,
    "memory": _memory,
    "gpu": _gpu,
    "folder": _folders,
}
