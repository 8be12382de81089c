"""Results of finished cells: one file each, which says what it was made with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import neurosim
from neurosim.errors import RunError
from neurosim.training.folder import read_json

if TYPE_CHECKING:
    from neurosim.reproduce.cells import Cell

FORMAT = 1  # of a cell's file
# What the table reads of it.
REQUIRED = {
    "cell": str,
    "seed": int,
    "test_accuracy": float,
    "images_seen": int,
    "seconds": float,
    "verdict": str,
    "audit": str,
}
PASSED = "no violation found"  # the audit's verdict
OLDER = {"plausible": PASSED}  # as files of earlier audits have it
Result: TypeAlias = dict[str, Any]  # what the file of a finished cell holds
Results: TypeAlias = dict[tuple[str, int], Result]  # (cell's name, seed) -> its result
Audited: TypeAlias = tuple[str, str]  # the audit's verdict and its line


def audited(results: Results, cell: Cell) -> Audited | None:
    """The audit's verdict and line on a cell, which are those of every seed; None where it has not been asked."""
    return next(((r["verdict"], r["audit"]) for (name, _), r in results.items() if name == cell.name), None)


def read_result(path: Path, asked: dict[str, Any]) -> Result:
    """What a finished cell's file holds.

    Args:
        path: of the file.
        asked: what it must have been made with.

    Raises:
        RunError: a file that cannot be read, of another version, or made with something else.
    """
    again = "remove it, or choose another folder"
    found = read_json(path, {"format": int, "neurosim": str, "made with": dict}, "the file of a finished cell", again)
    version, made = (found["format"], found["neurosim"]), found["made with"]
    if version != (FORMAT, neurosim.__version__):
        raise RunError(
            f"{path} has format {version[0]}, written by neurosim {version[1]}",
            f"format {FORMAT} of neurosim {neurosim.__version__}",
            again,
        )
    read_json(path, REQUIRED, "the file of a finished cell", again)
    check_same(path, made, asked)
    found["verdict"] = OLDER.get(found["verdict"], found["verdict"])
    return found


def check_same(path: Path, made: dict[str, Any], asked: dict[str, Any]) -> None:
    """Check that what is there was made with what is asked for now.

    Raises:
        RunError: it was not; the first three options that differ are named.
    """
    made, asked = (json.loads(json.dumps(options)) for options in (made, asked))
    different = sorted(name for name in made.keys() | asked.keys() if made.get(name) != asked.get(name))
    if different:
        actual = ", ".join(f"{name} {made.get(name)}" for name in different[:3])
        expected = ", ".join(f"{name} {asked.get(name)}" for name in different[:3])
        hint = "ask as before, or choose another folder"
        raise RunError(f"{path} was made with {actual}", f"{expected}, as asked for now", hint)
