"""What happens beside the training loop: progress, metrics, checkpoints, signals. Of diagnoses see `neurosim.diagnostics`.

A new one derives from `neurosim.training.trainer.Callback` and overrides some of its four hooks. The order matters: what
adds to the trainer's rows stands before what writes them, and checkpoints come last.
"""

from __future__ import annotations

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


class Bar(Callback):
    """Shows on stderr how far training is: a bar on a terminal, elsewhere a line an epoch."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._line, self._began, self._first = "", 0.0, 0

    @staticmethod
    def wanted() -> bool:
        """Whether somebody watches: stderr is a terminal, or a notebook."""
        return sys.stderr.isatty() or "ipykernel" in sys.modules

    def on_start(self, trainer: Trainer) -> None:
        import click  # the library needs it for nothing else

        self._began, self._first = time.perf_counter(), trainer.progress.done
        if sys.stderr.isatty():
            length = max(trainer.batches, 1)
            self._bar = click.progressbar(
                length=length, file=sys.stderr, item_show_func=lambda _: self._line, width=20
            ).__enter__()
            self._bar.update(self._first)

    def on_batch(self, trainer: Trainer) -> None:
        progress, size = trainer.progress, trainer.model.config.training.batch
        speed = (progress.done - self._first) * size / (time.perf_counter() - self._began)
        self._line = (
            f"{progress.phase}  epoch {min(progress.epoch + 1, trainer.epochs)}/{trainer.epochs}  "
            f"error {progress.error:.3f}  {speed:.0f} images/s"
        )
        if self._bar is not None:
            self._bar.update(1, 1)
        elif progress.batch == 0:
            left = (trainer.batches - progress.done) * size / speed
            place = f"epoch {progress.epoch}/{trainer.epochs}"
            print(f"{place}  {self._line}  {span(left)} left", file=sys.stderr, flush=True)

    def on_stop(self, trainer: Trainer) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


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
