"""A run folder belongs to one process: an advisory lock that ends with its process, and says who holds it.

The file ``lock`` in the folder is locked by the system as long as the process lives, so that a killed one leaves nothing behind
that anybody would have to remove; what stands in it is only for whoever meets it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from neurosim.errors import RunError

NAME = "lock"
TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class Lock:
    """Holds a run's folder; use it as a context.

    Args:
        folder: of the run; it is there already.

    Raises:
        RunError: another process holds it, which is named.
    """

    def __init__(self, folder: Path):
        self.path = folder / NAME
        self._file: IO[str] | None = None

    def __enter__(self) -> Lock:
        while self._file is None:
            file = self._open()
            try:
                _claim(file)
            except OSError as problem:
                if problem.errno not in TAKEN:
                    file.close()
                    _warn(f"{self.path}: this file system has no locks ({problem.strerror}): start no second run here")
                    return self
                holder = _holder(file)
                file.close()
                raise _taken(self.path.parent, holder) from None
            if self._current(file):
                self._file = file
            else:  # whoever held it has removed the file meanwhile
                file.close()
        self._write(self._file)
        return self

    def _open(self) -> IO[str]:
        try:
            return open(self.path, "a+", encoding="utf-8", errors="replace")
        except OSError as problem:
            raise RunError(
                f"{self.path} cannot be opened: {problem.strerror}",
                "a folder that can be written to",
                "choose another --out",
            ) from None

    def _current(self, file: IO[str]) -> bool:
        with contextlib.suppress(OSError):
            return os.path.samestat(os.fstat(file.fileno()), os.stat(self.path))
        return False

    def _write(self, file: IO[str]) -> None:
        """Who holds it; a full disk leaves it held without a name."""
        record = {"process": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        with contextlib.suppress(OSError):
            file.truncate(0)
            file.write(json.dumps(record) + "\n")
            file.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # where an open file cannot be removed it stays, and is free
                self.path.unlink()
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def refuse_held(folder: Path) -> None:
    """Raise where another process holds a run's folder.

    Raises:
        RunError: it does, and is named.
    """
    with contextlib.suppress(OSError), open(folder / NAME, "r+", encoding="utf-8", errors="replace") as file:
        try:
            _claim(file)  # let go again where the file is closed
        except OSError as problem:
            if problem.errno in TAKEN:
                raise _taken(folder, _holder(file)) from None


def _taken(folder: Path, holder: str) -> RunError:
    return RunError(
        f"{folder} is in use by {holder}",
        "a run that no other process works on",
        "wait until it is done or stop it, or choose another out",
    )


def _claim(file: IO[Any]) -> None:
    """Lock it, without waiting.

    Raises:
        OSError: it is taken, or locks are not supported.
    """
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(file: IO[str]) -> str:
    """Who holds it, in words."""
    try:
        file.seek(0)
        found = json.loads(file.read(1000))
        return f"process {int(found['process'])} on {str(found['host'])[:80]}, since {str(found['since'])[:20]}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr, flush=True)
