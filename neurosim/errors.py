"""What can go wrong, in one line: what was actual, what was expected, and a hint how to correct it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

# What a terminal would obey and not show: control characters, and marks that turn the direction of text.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """A text with what a terminal would obey written out: names in files of others are data, and are shown, not followed."""
    return _CONTROL.sub(
        lambda found: f"\\x{ord(found[0]):02x}" if found[0] < "\u0100" else f"\\u{ord(found[0]):04x}", text
    )


def nearest(word: str, known: Iterable[str], otherwise: str = "", form: str = "{}") -> str:
    """``did you mean NAME?`` of the known name that is nearest to a word; of none that is near, ``otherwise``.

    Args:
        word: as it was typed.
        known: names that there are.
        otherwise: what is said where none is near.
        form: how a name is written, as ``rule={!r}``.
    """
    names = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), names, 1)
    return f"did you mean {form.format(names[near[0]])}?" if near else otherwise


class NeurosimError(Exception):
    """Base of every error that a user can cause and correct.

    Args:
        actual: what was found, with its name and value.
        expected: what would have been right.
        hint: what to do about it.
        argument: the one argument that it is about, where there is one; the command line names its option instead.

    The text of the error is one line, ``actual; expected ...; hint``. The command line prints it and exits with `exit_code`.
    """

    exit_code = 2

    def __init__(self, actual: str, expected: str, hint: str, argument: str = "") -> None:
        text = f"{actual}; expected {expected}; {hint}"
        # A file's name may hold line breaks, or bytes that are no text: the message stays one printable line.
        super().__init__(visible(" ".join(text.encode(errors="replace").decode().split())))
        self.argument = argument
        self.parts = actual, expected, hint, argument

    def __reduce__(self) -> tuple[type[NeurosimError], tuple[Any, ...]]:
        return type(self), self.parts  # so that it can be sent from one process to another


class ShapeError(NeurosimError):
    """Sizes that do not fit together."""


class WiringError(NeurosimError):
    """A rule, loss, network or option that cannot be built as asked."""


class PlausibilityError(NeurosimError):
    """A wiring that breaks a condition of plausibility where plausibility was required.

    Args:
        actual: as for every error.
        expected: as for every error.
        hint: as for every error.
        argument: as for every error.
        path: the violation in a few lines, for whoever reads a failed test; they are then its text.
    """

    def __init__(self, actual: str, expected: str, hint: str, argument: str = "", path: tuple[str, ...] = ()) -> None:
        super().__init__(actual, expected, hint, argument)
        self.path = path
        if path:
            self.args = ("\n".join(path),)

    def __reduce__(self) -> tuple[type[NeurosimError], tuple[Any, ...]]:
        return type(self), (*self.parts, self.path)


class DataError(NeurosimError):
    """Images, labels or files that cannot be used."""


class UndecidedError(WiringError):
    """An audit that comes to no verdict: what is audited fails, ends the process, hangs, or gives no evidence."""

    exit_code = 3


class DivergenceError(NeurosimError):
    """Training whose numbers cannot be learned from any more: not finite, beyond any use, or the same for every picture."""

    exit_code = 3


class DataWarning(UserWarning):
    """Files among the data that are left out because they cannot be used: one line, never silently."""


class RunError(NeurosimError):
    """A run's folder or checkpoint that cannot be used."""


class DeviceError(NeurosimError):
    """A GPU that is missing, or too small for what is asked of it."""
