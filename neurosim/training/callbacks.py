"""What happens beside the training loop: progress, metrics, checkpoints, signals. Of diagnoses see `neurosim.diagnostics`.

A new one derives from `neurosim.training.trainer.Callback` and overrides some of its four hooks. The order matters: what
adds to the trainer's rows stands before what writes them, and checkpoints come last.
"""

from __future__ import annotations

import math
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from neurosim.training.trainer import Callback, Progress, Trainer

if TYPE_CHECKING:
    from neurosim.training.folder import Run


class Each(Callback):
    """Calls a function with the progress after every batch."""

    def __init__(self, call: Callable[[Progress], object]):
        self._call_it = call

    def on_batch(self, trainer: Trainer) -> None:
        self._call_it(trainer.progress)


class Line:
    """One line on stderr, which the next one replaces on a terminal; elsewhere there is a new one every 10 s.

    Args:
        quiet: nothing is ever shown.
    """

    EVERY = 10.0  # seconds between lines where there is no terminal
    SOON = 0.1  # between two of a terminal

    def __init__(self, quiet: bool = False) -> None:
        self._quiet, self._last, self._wide = quiet, time.perf_counter(), 0
        self._live = sys.stderr.isatty()

    def show(self, text: str, part: float, last: bool = False) -> None:
        """Show how far it is.

        Args:
            text: in words.
            part: 0 to 1, of what there is to do.
            last: shown however short a time it is since the line before.
        """
        now = time.perf_counter()
        if self._quiet or not (last or now - self._last >= (self.SOON if self._live else self.EVERY)):
            return
        self._last = now
        if self._live:
            columns = shutil.get_terminal_size().columns - 1
            wide = min(20, columns - len(text) - 3)  # of the bar: what the words leave
            done = round(wide * min(1.0, part))
            text = (f"[{'#' * done}{'-' * (wide - done)}] {text}" if wide > 3 else text)[:columns]
            print(f"\r{text.ljust(self._wide)}", end="", file=sys.stderr, flush=True)
            self._wide = len(text)
        else:
            print(text, file=sys.stderr, flush=True)

    def end(self, keep: bool = True) -> None:
        """No line follows: go to a new one, or take away what a terminal shows."""
        if self._live and not self._quiet and self._wide:
            print("" if keep else f"\r{' ' * self._wide}\r", end="\n" if keep else "", file=sys.stderr, flush=True)
            self._wide = 0


class Bar(Callback):
    """Shows on stderr how far training is: a bar on a terminal, elsewhere a line every 10 s and at the end.

    Args:
        quiet: shows nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet, self._began, self._first = quiet, 0.0, 0
        self._line = Line(quiet)

    @staticmethod
    def wanted() -> bool:
        """Whether somebody watches: stderr is a terminal, or a notebook."""
        return sys.stderr.isatty() or "ipykernel" in sys.modules

    def on_start(self, trainer: Trainer) -> None:
        self._began, self._first = time.perf_counter(), trainer.progress.done
        self._line = Line(self._quiet)

    def on_batch(self, trainer: Trainer) -> None:
        done, whole = trainer.progress.done, max(trainer.batches, 1)
        self._line.show(self._text(trainer), done / whole, last=done >= whole)

    def _text(self, trainer: Trainer) -> str:
        progress, size = trainer.progress, trainer.model.config.training.batch
        speed = (progress.done - self._first) * size / max(time.perf_counter() - self._began, 1e-9)
        epoch, error = progress.epoch + (progress.batch > 0), progress.error
        compared = "" if math.isnan(error) else f"  error {error:.3f}  active {100 * progress.active:.0f} %"
        left = span((trainer.batches - progress.done) * size / speed)
        return f"{progress.phase}  epoch {epoch}/{trainer.epochs}{compared}  {speed:.0f} images/s  {left} left"

    def on_stop(self, trainer: Trainer) -> None:
        self._line.end()


class Reading:
    """Shows how far a read-out is, from the lines that it gives: a bar on a terminal, elsewhere a line every 10 s.

    Args:
        quiet: shows nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._line = Line(quiet)

    def __call__(self, line: str) -> None:
        """Show a line: ``read-out, layer 2 of 5``; the floor is the second half."""
        numbers = [int(word) for word in line.split() if word.isdecimal()]
        part = numbers[0] / (numbers[1] + 1) if len(numbers) == 2 else 1.0 if "together" in line else 0.0
        self._line.show(line, (part + line.startswith("floor")) / 2)

    def end(self) -> None:
        """Take it away."""
        self._line.end(keep=False)


def span(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Metrics(Callback):
    """Keeps metrics.csv: a row an epoch, and a row a diagnosis.

    Args:
        run: whose.
    """

    def __init__(self, run: Run):
        self._run, self._written = run, 0

    def on_start(self, trainer: Trainer) -> None:
        self._write(trainer)

    def on_batch(self, trainer: Trainer) -> None:
        self._write(trainer)

    def on_epoch(self, trainer: Trainer) -> None:
        self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        """Write the file where there are new rows."""
        rows = len(trainer.rows) + len(trainer.diagnoses)
        if rows != self._written:
            self._run.save_metrics(trainer.rows, trainer.diagnoses)
            self._written = rows


class Checkpoints(Callback):
    """Keeps checkpoint.npz: before the first batch, every so many seconds, at the end and where training is stopped.

    Args:
        run: whose.
        every: seconds from one to the next; 0: after every batch.
        before: called with the trainer before one is written; what it raises keeps the last one.
    """

    def __init__(self, run: Run, every: float = 60.0, before: Callable[[Trainer], object] = lambda trainer: None):
        self.run, self._every, self._before, self._last = run, every, before, 0.0

    def on_start(self, trainer: Trainer) -> None:
        if not self.run.has_checkpoint:
            self.save(trainer)
        self._last = time.perf_counter()

    def on_batch(self, trainer: Trainer) -> None:
        if time.perf_counter() - self._last >= self._every:
            self.save(trainer)
            self._last = time.perf_counter()

    def on_stop(self, trainer: Trainer) -> None:
        if not trainer.failed:
            self.save(trainer)

    def save(self, trainer: Trainer) -> None:
        """Write all arrays and the place in the stream.

        Raises:
            RunError: they cannot be written; the last checkpoint stays.
        """
        self._before(trainer)
        self.run.save_checkpoint(trainer.model.state(), trainer.state())


class Signals(Callback):
    """Turns the first Ctrl-C, SIGTERM or SIGHUP into a stop after the batch; the second acts at once."""

    KINDS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

    def __init__(self) -> None:
        self._old: dict[int, Any] = {}

    def on_start(self, trainer: Trainer) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            trainer.stop()
            signal.signal(number, self._old[number])

        if threading.current_thread() is threading.main_thread():
            for number in self.KINDS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                    self._old[number] = signal.signal(number, stop)

    def on_stop(self, trainer: Trainer) -> None:
        for number, old in self._old.items():
            signal.signal(number, old)
        self._old = {}
