"""How many cores a process may use: those it is bound to, its container's quota, and what its scheduler grants."""

from __future__ import annotations

import math
import os
from pathlib import Path

GRANTED = ("SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS")  # environment variables by which users and clusters grant threads
CGROUP = Path("/sys/fs/cgroup")


def cores() -> tuple[int, str]:
    """The number of cores, and what limits it, in words."""
    counts = [(bound(), "cores of this machine"), (quota(CGROUP), "the container's quota")]
    counts += [(granted(name), name) for name in GRANTED]
    count, why = min(((count, why) for count, why in counts if count), key=lambda found: found[0])
    return count, why


def bound() -> int:
    """Cores that the process is bound to, where the system tells; else all of the machine's."""
    if hasattr(os, "sched_getaffinity"):  # macOS and Windows have none
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quota(folder: Path) -> int | None:
    """Cores' worth of time that a Linux control group grants, rounded up; None: no limit.

    Args:
        folder: of the control group: ``cpu.max`` (version 2), or ``cpu/cpu.cfs_quota_us`` and ``cpu/cpu.cfs_period_us``.
    """
    try:
        if (folder / "cpu.max").is_file():
            granted, period = (folder / "cpu.max").read_text("utf-8").split()[:2]
        else:
            granted, period = ((folder / f"cpu/cpu.cfs_{name}_us").read_text("utf-8") for name in ("quota", "period"))
        return max(1, math.ceil(int(granted) / int(period))) if int(granted) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):  # "max" is no number
        return None


def granted(name: str) -> int | None:
    """What an environment variable grants; None where it grants nothing that can be read."""
    first = os.environ.get(name, "").split(",")[0].strip()
    return int(first) if first.isascii() and first.isdigit() and int(first) > 0 else None
