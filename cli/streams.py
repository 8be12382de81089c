"""stdout and stderr that never end a run: a reader that went away, a closed stream, a full disk of the log, missing letters."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from neurosim.errors import visible

PLAIN = str.maketrans({"±": "+-", "…": "..."})  # for terminals without these letters
OWN = re.compile("(^\r(?:\x1b\\[K)?|\r$|\r\n|\r?\x1b\\[\\?25[lh])")  # what our own bars of progress need
ASCII = ("ascii", "us-ascii", "ansi_x3.4-1968", "646")


def _replace(problem: UnicodeError) -> tuple[str, int]:
    """What stands for letters that a terminal has not."""
    assert isinstance(problem, UnicodeEncodeError)
    part = problem.object[problem.start : problem.end].translate(PLAIN)
    return part.encode(problem.encoding, "replace").decode(problem.encoding), problem.end


codecs.register_error("neurosim", _replace)


def _shown(text: str) -> str:
    """What is printed: nothing that a terminal would obey, but for what our own bars of progress need."""
    parts = OWN.split(text)  # what they need stands at odd places
    return "".join(part if number % 2 else visible(part).replace("\r", "\\r") for number, part in enumerate(parts))


class Tolerant:
    """A text stream that drops what cannot be written any more, and has something for every letter.

    Args:
        stream: where it writes to; None: it was closed before the process began.
    """

    def __init__(self, stream: Any):
        self._stream, self.lost = stream, stream is None
        if isinstance(stream, io.TextIOWrapper):
            # A plain C locale says ASCII where nearly every terminal reads UTF-8; Python takes it so itself where it may.
            encoding = "utf-8" if stream.encoding.lower() in ASCII else stream.encoding
            stream.reconfigure(encoding=encoding, errors="neurosim")

    @property
    def encoding(self) -> str:
        """Of the stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write it, or not."""
        if not self.lost:
            try:
                self._stream.write(_shown(text))
            except (OSError, ValueError) as problem:  # ValueError: it is closed
                if isinstance(problem, UnicodeError):
                    raise
                self._lose()
        return len(text)

    def flush(self) -> None:
        """Flush it, or not."""
        if not self.lost:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._lose()

    def isatty(self) -> bool:
        """Whether somebody reads at a terminal."""
        return not self.lost and bool(self._stream.isatty())

    def _lose(self) -> None:
        """From now on nothing is written; at its end the interpreter flushes what is left to nowhere."""
        self.lost = True
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def tolerant() -> Iterator[None]:
    """Stdout and stderr are tolerant within."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Tolerant(before[0]), Tolerant(before[1])
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before
