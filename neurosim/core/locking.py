"""An advisory lock of one file, which ends with the process that holds it, and says who that is.

The system locks the file as long as the process lives, so that a killed one leaves nothing behind that anybody would have to
remove; what stands in it is only for whoever meets it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from neurosim.errors import NeurosimError

TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
PAUSE = 0.1  # seconds between two looks while another process is waited for


class FileLock:
    """Holds a file; use it as a context.

    Args:
        path: of the file, in a folder that is there; it is made, and removed again.
        taken: the error where another process holds it, of who that is in words.
        closed: the error where it cannot be opened, of why in words.
        patience: seconds that another process is waited for.
        waiting: called once with who holds it, in words, where it is waited for.
        warn: what is said where the file system has no locks.

    Raises:
        NeurosimError: ``taken`` or ``closed``.
    """

    def __init__(
        self,
        path: Path,
        taken: Callable[[str], NeurosimError],
        closed: Callable[[str], NeurosimError],
        patience: float = 0.0,
        waiting: Callable[[str], object] = lambda holder: None,
        warn: str = "start no second process here",
    ):
        self.path, self._taken, self._closed, self._warn = path, taken, closed, warn
        self._patience, self._waiting = patience, waiting
        self._file: IO[str] | None = None

    def __enter__(self) -> FileLock:
        until, said = time.monotonic() + self._patience, False
        while self._file is None:
            file = self._open()
            try:
                claim(file)
            except OSError as problem:
                if problem.errno not in TAKEN:
                    file.close()
                    text = f"{self.path}: this file system has no locks ({problem.strerror}): {self._warn}"
                    print(f"warning: {text}", file=sys.stderr, flush=True)
                    return self
                found = holder(file)
                file.close()
                if time.monotonic() >= until:
                    raise self._taken(found) from None
                if not said:
                    said = True
                    self._waiting(found)
                time.sleep(PAUSE)
                continue
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
            raise self._closed(problem.strerror or str(problem)) from None

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


def claim(file: IO[Any]) -> None:
    """Lock an open file, without waiting.

    Raises:
        OSError: it is taken, or locks are not supported.
    """
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        try:
            import fcntl
        except ImportError:  # a system of neither kind
            raise OSError(errno.ENOSYS, "no locks on this system") from None
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def holder(file: IO[str]) -> str:
    """Who holds it, in words."""
    try:
        file.seek(0)
        found = json.loads(file.read(1000))
        return f"process {int(found['process'])} on {str(found['host'])[:80]}, since {str(found['since'])[:20]}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
