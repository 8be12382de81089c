"""The read-outs of a run: a file each in its folder ``results``, by data and read-out; none is ever overwritten by another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from neurosim.readout import kept
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
        try:
            record = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
            if record.get("key") == key:
                return path, kept.from_json(record)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # it is read out anew, and written whole
    return None


def every(run: Run) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The files of all read-outs of a run that can be read, with what they hold; by name."""
    for path in sorted((run.folder / FOLDER).glob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if kept.from_json(record).labels and {"data", "headline"} <= set(record):
                yield path, record
        except (OSError, ValueError, KeyError, TypeError):
            continue


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
    folder, earlier = run.folder / FOLDER, run.results()
    if earlier is None or earlier.get("readout") is None or any(folder.iterdir()):
        return
    write_json(folder / f"earlier-{earlier['readout']}.json", earlier)
