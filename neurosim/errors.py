"""What can go wrong, told in one line: what was met, what was expected, how to mend it."""


class NeurosimError(Exception):
    """Base of every error that a user can cause and mend.

    Args:
        met: what was found, with its name and value.
        expected: what would have been right.
        mend: what to do about it.

    The text of the error is one line, ``met; expected ...; mend``. The command line prints it and exits with 2.
    """

    def __init__(self, met: str, expected: str, mend: str):
        text = f"{met}; expected {expected}; {mend}"
        # A file's name may hold line breaks, or bytes that are no text: the message stays one printable line.
        super().__init__(" ".join(text.encode(errors="replace").decode().split()))
        self._told = met, expected, mend

    def __reduce__(self):
        return type(self), self._told  # so that it can be sent from one process to another


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
