"""What can go wrong, in one line: what was actual, what was expected, and a hint how to correct it."""

from __future__ import annotations


class NeurosimError(Exception):
    """Base of every error that a user can cause and correct.

    Args:
        actual: what was found, with its name and value.
        expected: what would have been right.
        hint: what to do about it.
        argument: the one argument that it is about, where there is one; the command line names its option instead.

    The text of the error is one line, ``actual; expected ...; hint``. The command line prints it and exits with 2.
    """

    def __init__(self, actual: str, expected: str, hint: str, argument: str = "") -> None:
        text = f"{actual}; expected {expected}; {hint}"
        # A file's name may hold line breaks, or bytes that are no text: the message stays one printable line.
        super().__init__(" ".join(text.encode(errors="replace").decode().split()))
        self.argument = argument
        self._parts = actual, expected, hint, argument

    def __reduce__(self) -> tuple[type[NeurosimError], tuple[str, str, str, str]]:
        return type(self), self._parts  # so that it can be sent from one process to another


class ShapeError(NeurosimError):
    """Sizes that do not fit together."""


class WiringError(NeurosimError):
    """A rule, loss, network or option that cannot be built as asked."""


class PlausibilityError(NeurosimError):
    """A wiring that breaks a condition of plausibility where plausibility was required."""


class DataError(NeurosimError):
    """Images, labels or files that cannot be used."""


class RunError(NeurosimError):
    """A run's folder or checkpoint that cannot be used."""


class DeviceError(NeurosimError):
    """A GPU that is missing, or too small for what is asked of it."""
