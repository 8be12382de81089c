"""The package's own files by their digest: what a verdict trusts without test."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SUFFIXES = (".py", ".cu")
SHOWN = 12  # hexadecimal digits of a digest that are printed


def file_digest(root: Path = PACKAGE) -> str:
    """SHA-256 over the names and bytes of every source file below a folder, as it lies on the disk now."""
    found = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in SUFFIXES):
        found.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


@cache
def digest() -> str:
    """`file_digest` of the package, as it was when it was first asked for."""
    return file_digest()


def is_own(kind: type) -> bool:
    """Whether a class is one of this package: the very object that stands in the file of its name."""
    home = sys.modules.get(kind.__module__)
    file = getattr(home, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(PACKAGE) and vars(home).get(kind.__name__) is kind
