"""The process in which other people's code runs: it is asked one thing, answers once, and is gone."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neurosim.audit.isolation import guard, message
from neurosim.audit.package import PACKAGE
from neurosim.errors import NeurosimError

HIGH = 200  # the channel's number is no lower: what closes everything up to 100 leaves it open
HERE = Path(__file__).resolve()


def main(channel: int) -> None:
    """Read what is asked for from the standard input, answer on a channel, end.

    Args:
        channel: a file descriptor.
    """
    asked = json.loads(sys.stdin.buffer.read())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    place = fcntl.fcntl(channel, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(channel)
    guard.limit(asked["memory"])
    home, _, word = asked["entry"].partition(":")
    entry = getattr(importlib.import_module(home), word)
    answer = answered(lambda: entry(asked["arguments"]))
    _send(answer, place, bytes.fromhex(asked["key"]))


def answered(call: Callable[[], Any]) -> dict[str, Any]:
    """What a call gives, or how it failed: whatever somebody else's code raises is an answer."""
    try:
        return {"answer": call()}
    except NeurosimError as problem:
        code = 3 if _is_theirs(problem) else problem.exit_code
        return {"error": [_text(part) for part in problem.parts], "code": code}
    except SystemExit as problem:
        return {"problem": f"it calls for the end of the process (SystemExit: {_text(problem)})"}
    except MemoryError:
        return {"problem": "not enough memory: it takes more than --memory"}
    except BaseException as problem:
        frames = traceback.extract_tb(problem.__traceback__)
        where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
        return {"problem": f"{type(problem).__name__}: {_text(problem)}{where}"}


def _send(answer: dict[str, Any], place: int, key: bytes) -> None:
    """Answer, and end before anything else can."""
    try:
        data = message.framed(answer, key)
    except Exception as problem:
        data = message.framed({"problem": f"what it gives cannot be sent: {_text(problem)}"}, key)
    with contextlib.suppress(OSError):
        message.write_all(place, data)
    os._exit(0)


def _text(thing: object) -> str:
    """In words, whatever its own words do."""
    try:
        return str(thing)[:1000]
    except BaseException:
        return f"a {type(thing).__name__} that cannot be printed"


def _is_theirs(problem: NeurosimError) -> bool:
    """Whether an error of this package's kind comes out of somebody else's file, or reports one that does."""
    cause = problem.__cause__
    if isinstance(cause, SyntaxError):
        return True
    frames = traceback.extract_tb(problem.__traceback__)[-1:] + (
        traceback.extract_tb(cause.__traceback__) if cause else []
    )
    return any(_is_foreign(frame.filename) for frame in frames)


def _is_foreign(file: str) -> bool:
    """Whether a file is neither this package's nor Python's."""
    ours = (PACKAGE, HERE.parents[3] / "cli", Path(sys.base_prefix) / "lib")
    return not file.startswith("<frozen") and not any(Path(file).resolve().is_relative_to(each) for each in ours)
