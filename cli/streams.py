"""stdout and stderr that never end a run: a reader that went away, a closed stream, a full disk of the log, a terminal without UTF-8."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any


class Tolerant:
    """A text stream that drops what cannot be written any more, and writes ``?`` for what its encoding has not.

    Args:
        stream: where it writes to; None: it was closed before the process began.
    """

    def __init__(self, stream: Any):
        self._stream, self.lost = stream, stream is None

    def write(self, text: str) -> int:
        """Write it, or not."""
        if not self.lost:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                code = self._stream.encoding
                return self.write(text.encode(code, "replace").decode(code))
            except (OSError, ValueError):  # ValueError: it is closed
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
    """stdout and stderr are tolerant within."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Tolerant(before[0]), Tolerant(before[1])  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before
