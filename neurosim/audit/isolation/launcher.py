"""Starts one command, waits for it, says how it ended, and ends all that it left running. Nothing of the package is used."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

SUBREAPER, DEATH_SIGNAL = 36, 1  # of prctl(2)


def prctl(option: int, value: int) -> None:
    """Ask the kernel for something about this process; where it cannot be had, go on."""
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def children() -> list[int]:
    """Processes whose parent is this one; those that lost theirs are among them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int(entry.read_text("utf-8", "replace").rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(entry.parent.name))
    return found


def end_children() -> None:
    """End every process below this one."""
    for _ in range(1000):
        left = children()
        if not left:
            return
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def resident() -> int:
    """Bytes of memory that the processes below this one fill."""
    pages = 0
    for pid in children():
        with contextlib.suppress(OSError, ValueError, IndexError):
            pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def waited(child: int, most: float) -> str:
    """Wait for a process: ``exit 0``, ``signal 11``, or ``memory`` where it fills more than so many bytes and was ended."""
    pause = 0.002
    while True:
        pid, code = os.waitpid(child, os.WNOHANG)
        if pid:
            return f"signal {os.WTERMSIG(code)}" if os.WIFSIGNALED(code) else f"exit {os.WEXITSTATUS(code)}"
        if resident() > most:
            return "memory"
        time.sleep(pause)
        pause = min(0.02, pause * 1.1)


def main(arguments: list[str]) -> None:
    """``launcher.py STATUS BYTES COMMAND ...``: how the command ended is written to the file descriptor STATUS."""
    status, most, command = int(arguments[0]), float(arguments[1]), arguments[2:]
    os.set_inheritable(status, False)
    prctl(SUBREAPER, 1)
    prctl(DEATH_SIGNAL, signal.SIGTERM)  # the parent is gone: so is the audit
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            prctl(DEATH_SIGNAL, signal.SIGKILL)
            os.execv(command[0], command)
        finally:
            os._exit(127)

    def stop(*_: Any) -> None:
        end_children()
        os._exit(1)

    signal.signal(signal.SIGTERM, stop)
    os.write(status, waited(child, most).encode())
    end_children()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
