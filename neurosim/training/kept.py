"""The read-outs of a run: a file each in its folder ``results``, by data and read-out; none is ever overwritten by another."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosim.core.reading import File
from neurosim.errors import RunError
from neurosim.readout import kept
from neurosim.readout.results import READ_OUTS
from neurosim.training import shapes
from neurosim.training.folder import make_folder, write_json

if TYPE_CHECKING:
    from neurosim.readout.results import Readout
    from neurosim.training.folder import Run

FOLDER = "results"


def path_of(run: Run, readout: Readout) -> Path:
    """The file of a read-out: its data, its method, its largest number of labels, and the beginning of its key."""
    data = re.sub(r"[^\w.-]+", "-", readout.data).strip("-.")[-40:] or "data"
    return run.folder / FOLDER / f"{data}-{readout.method}-{readout.labels}-{readout.key[:8]}.json"


def find(run: Run, key: str) -> tuple[Path, Readout] | None:
    """The read-out of a run under a key, and its file; None where there is none, or none that can be read."""
    folder = run.folder / FOLDER
    for path in sorted(folder.glob(f"*-{key[:8]}.json")) if folder.is_dir() else ():
        with contextlib.suppress(RunError):  # it is read out anew, and written whole
            record = _read(path)
            if record["key"] == key:
                return path, kept.from_json(record)
    return None


def every(run: Run) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The files of all read-outs of a run that can be read, with what they hold; by name."""
    for path in sorted((run.folder / FOLDER).glob("*.json")):
        try:
            record = _read(path)
        except RunError:
            continue
        yield path, record


def _read(path: Path) -> dict[str, Any]:
    """The file of a read-out, which has labels.

    Raises:
        RunError: it is something else.
    """
    file = File(path, "the file of a read-out", "remove it and evaluate again")
    record = file.json({"data": str, "key": str, "headline": dict, "curve": list, "left_out?": [int]})
    with file.whole():
        if not record["curve"]:
            raise ValueError("no labels")
        return shapes.results(record)


def save(run: Run, readout: Readout, results: dict[str, Any]) -> None:
    """Keep a read-out beside the others.

    Args:
        run: whose.
        readout: with its key and its data.
        results: as results.json has it.

    Raises:
        RunError: it cannot be written.
    """
    make_folder(run.folder / FOLDER)
    _keep_earlier(run)
    more = {"left_out": list(readout.left_out), "data": readout.data, "key": readout.key}
    write_json(path_of(run, readout), results | more)


def _keep_earlier(run: Run) -> None:
    """A results.json of an earlier version, before it is written over."""
    folder, path = run.folder / FOLDER, run.folder / "results.json"
    if not path.exists() or any(folder.iterdir()):
        return
    with contextlib.suppress(RunError):  # what cannot be read is not kept
        earlier = File(path).json()
        if earlier.get("readout") in tuple(READ_OUTS):
            write_json(folder / f"earlier-{earlier['readout']}.json", earlier)
