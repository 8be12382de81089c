"""A process in disguise: another time of day, another current folder, other names in the environment; a training."""

from __future__ import annotations

import datetime
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

CLOCKS = {
    "time": 1,
    "time_ns": 10**9,
    "monotonic": 1,
    "monotonic_ns": 10**9,
    "perf_counter": 1,
    "perf_counter_ns": 10**9,
}
CALENDARS = ("localtime", "gmtime", "ctime")  # of a number of seconds, now where none is given


def shift_clock(seconds: int) -> None:
    """Let every clock of this process run ahead, or behind: those of `time` and of `datetime`.

    Args:
        seconds: how far.
    """
    now = time.time
    for name, unit in CLOCKS.items():
        setattr(time, name, _ahead(getattr(time, name), seconds * unit))
    for name in CALENDARS:
        setattr(time, name, _of_now(getattr(time, name), now, seconds))
    datetime.datetime = _Shifted  # type: ignore[misc]
    _Shifted.ahead = datetime.timedelta(seconds=seconds)


def _ahead(clock: Callable[[], Any], amount: int) -> Callable[[], Any]:
    @wraps(clock)
    def shifted() -> Any:
        return clock() + amount

    return shifted


def _of_now(calendar: Callable[..., Any], now: Callable[[], float], seconds: int) -> Callable[..., Any]:
    @wraps(calendar)
    def shifted(at: float | None = None) -> Any:
        return calendar(now() + seconds if at is None else at)

    return shifted


class _Shifted(datetime.datetime):
    """The class of moments, whose own moment is another."""

    ahead = datetime.timedelta(0)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return super().now(tz) + cls.ahead

    @classmethod
    def today(cls) -> Any:
        return cls.now()

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(datetime.UTC).replace(tzinfo=None)


def as_training(changed: Mapping[str, str | None]) -> None:
    """Let this process look like a training to a rule that asks whether it is audited.

    The audit's modules are no longer among those that are loaded; the command is that of a training.

    Args:
        changed: variables of the environment that were set for this process -> what they were; None: nothing.
    """
    for name in [n for n in sys.modules if n == "neurosim.audit" or n.startswith("neurosim.audit.")]:
        del sys.modules[name]
    home = sys.modules["neurosim"]
    vars(home).pop("audit", None)
    command = ModuleType("__main__")
    command.__file__ = str(Path(str(home.__file__)).with_name("__main__.py"))
    sys.modules["__main__"] = command
    sys.argv[:] = [command.__file__, "train"]
    sys.orig_argv[:] = [sys.executable, "-m", "neurosim", "train"]
    for word, value in changed.items():
        os.environ.pop(word, None)
        if value is not None:
            os.environ[word] = value


def elsewhere(folder: str, name: str) -> None:
    """Work in another folder, as another user with other folders.

    Args:
        folder: an empty one.
        name: of the user.
    """
    os.chdir(folder)
    for word in ("HOME", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME", "PWD"):
        os.environ[word] = folder
    for word in ("USER", "LOGNAME", "HOSTNAME"):
        os.environ[word] = name
    import tempfile

    tempfile.tempdir = folder
