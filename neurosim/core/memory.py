"""How much memory this process may still have: what is free, what its container grants, what its limit leaves."""

from __future__ import annotations

import sys
from pathlib import Path

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
UNKNOWN = 1 << 34  # bytes that are taken to be there where the system does not say


def room(proc: Path = PROC, group: Path = CGROUP) -> int:
    """Bytes that this process may still have, as far as the system says.

    Args:
        proc: where Linux tells of memory. group: where it tells of control groups.
    """
    found = [_field(proc / "meminfo", "MemAvailable:"), _granted(group), _limited(proc)]
    return min((each for each in found if each is not None), default=UNKNOWN)


def _field(path: Path, name: str) -> int | None:
    """A number of kilobytes of a file of lines ``NAME NUMBER kB``, as bytes."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), None)
    except (OSError, ValueError, IndexError):
        return None


def _granted(group: Path) -> int | None:
    """What a container may still take; None: no limit, or none that can be read."""
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            return max(0, int((group / most).read_text("utf-8")) - int((group / used).read_text("utf-8")))
        except (OSError, ValueError):  # "max" is no number
            continue
    return None


def _limited(proc: Path) -> int | None:
    """What the process's own limit (``ulimit -v``) leaves; None: it has none."""
    if sys.platform == "win32":
        return None
    try:
        import resource
    except ImportError:  # a system of neither kind
        return None
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    taken = _field(proc / "self" / "status", "VmSize:")
    return None if most == resource.RLIM_INFINITY or taken is None else max(0, most - taken)
