"""Limits of the child: memory, no core dumps, and no signals to the processes that wait for it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import struct
import sys
from pathlib import Path

NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2  # of prctl(2)
ALLOW, REFUSE = 0x7FFF0000, 0x00050001  # of a filter: go on; fail with EPERM
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # instructions of a filter
MOST = 200  # numbers that a filter compares: a jump goes no further than 255 instructions
NUMBER, ARCHITECTURE, FIRST, SECOND = 0, 4, 16, 24  # where a filter finds them in a call
# machine -> its number; calls whose first argument is a process: kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo,
# pidfd_open, process_vm_writev, prlimit64; the call whose second is: ptrace.
CALLS = {
    "x86_64": (0xC000003E, (62, 200, 234, 129, 297, 434, 311, 302), 101),
    "aarch64": (0xC00000B7, (129, 130, 131, 138, 240, 434, 271, 261), 117),
}


def limit(memory: float) -> None:
    """Limit this process and all that it starts; where the kernel has filters, no process above it can be sent a signal.

    Args:
        memory: GiB of its own data at most.
    """
    most = int(memory * 2**30)
    with contextlib.suppress(OSError, ValueError):
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and platform.machine() in CALLS:
        with contextlib.suppress(Exception):
            _install(_filter(*CALLS[platform.machine()], _numbers(_above())))


def _above() -> set[int]:
    """The processes above this one, and their groups as negative numbers."""
    found: set[int] = set()
    pid = os.getppid()
    while pid > 1 and len(found) < MOST:
        with contextlib.suppress(OSError):
            found |= {pid, -os.getpgid(pid)}
        pid = int(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    return found


def _numbers(spared: set[int]) -> list[int]:
    """Processes and groups, everybody, the first of all: as 32 bits."""
    return sorted({pid & 0xFFFFFFFF for pid in spared} | {0xFFFFFFFF, 1})


def _filter(machine: int, first: tuple[int, ...], second: int, refused: list[int]) -> bytes:
    """A program of instructions: calls that name a refused process fail, all others go on."""
    check = [(EQUAL, len(refused) - n, 0, pid) for n, pid in enumerate(refused)] + [(RETURN, 0, 0, ALLOW)]
    checks = [(LOAD, 0, 0, SECOND), *check, (RETURN, 0, 0, REFUSE), (LOAD, 0, 0, FIRST), *check, (RETURN, 0, 0, REFUSE)]
    block = len(checks) // 2  # of the second argument; that of the first follows
    calls = [second, *first]
    jumps = [(EQUAL, len(calls) - n + (0 if n == 0 else block), 0, call) for n, call in enumerate(calls)]
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, machine),
        (RETURN, 0, 0, ALLOW),
        (LOAD, 0, 0, NUMBER),
        *jumps,
        (RETURN, 0, 0, ALLOW),
        *checks,
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def _install(program: bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(program)
    described = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if libc.prctl(SECCOMP, FILTER, ctypes.c_char_p(described), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
