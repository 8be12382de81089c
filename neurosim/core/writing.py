"""Files written: in this one place, so that a file's name always holds a whole one, the old or the new."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from neurosim.errors import RunError

RESUME = "free some and resume; the last checkpoint is whole"
FULL = (errno.ENOSPC, errno.EDQUOT)


def write_whole(path: Path, write: Callable[[BinaryIO], object], hint: str = RESUME) -> None:
    """Write a file so that its name always holds a whole one: aside, synced, renamed.

    Args:
        path: where it belongs.
        write: called with an open binary file.
        hint: what to do where it cannot be written.

    Raises:
        RunError: no space, no permission; what was there before stays.
    """
    aside = None
    try:
        handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            write(file)
            _open_to_all(aside)
        renamed(Path(aside), path)
        aside = None
    except OSError as problem:
        why = "no space is left on the disk" if problem.errno in FULL else problem.strerror or problem
        raise RunError(f"{path} could not be written: {why}", "a folder with space", hint) from None
    finally:
        if aside is not None:  # it failed, or was stopped
            Path(aside).unlink(missing_ok=True)


def renamed(aside: Path, path: Path) -> None:
    """Give a file that was written aside its name, once it is on the disk.

    Raises:
        OSError: it cannot be; what has the name stays.
    """
    with open(aside, "r+b") as file:
        os.fsync(file.fileno())
    os.replace(aside, path)
    _sync_folder(path.parent)


def _open_to_all(path: str) -> None:
    """Permissions as any new file has; a temporary one is for its owner alone."""
    mask = os.umask(0)  # reading it means setting it
    os.umask(mask)
    with contextlib.suppress(AttributeError, NotImplementedError, PermissionError):  # where there are no permissions
        os.chmod(path, 0o666 & ~mask)


def _sync_folder(folder: Path) -> None:
    """So that the new name outlasts a loss of power, where the system can be asked for that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folder
        return
    try:
        os.fsync(handle)
    except OSError:  # nor do all file systems sync one
        pass
    finally:
        os.close(handle)
