"""A run folder belongs to one process: `neurosim.core.locking` on the file ``lock`` in it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from neurosim.core.locking import TAKEN, FileLock, claim, holder
from neurosim.errors import RunError

NAME = "lock"


class Lock(FileLock):
    """Holds a run's folder; use it as a context.

    Args:
        folder: of the run; it is there already.
        patience: seconds that another process is waited for.
        name: of the file.

    Raises:
        RunError: another process holds it, which is named.
    """

    def __init__(self, folder: Path, patience: float = 0.0, name: str = NAME):
        def closed(why: str) -> RunError:
            return RunError(
                f"{self.path} cannot be opened: {why}", "a folder that can be written to", "choose another --out"
            )

        super().__init__(
            folder / name, lambda by: _taken(folder, by), closed, patience, warn="start no second run here"
        )


def refuse_held(folder: Path) -> None:
    """Raise where another process holds a run's folder.

    Raises:
        RunError: it does, and is named.
    """
    with contextlib.suppress(OSError), open(folder / NAME, "r+", encoding="utf-8", errors="replace") as file:
        try:
            claim(file)  # let go again where the file is closed
        except OSError as problem:
            if problem.errno in TAKEN:
                raise _taken(folder, holder(file)) from None


def _taken(folder: Path, by: str) -> RunError:
    return RunError(
        f"{folder} is in use by {by}",
        "a run that no other process works on",
        "wait until it is done or stop it, or choose another out",
    )
