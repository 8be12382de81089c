"""The training loop: batches, the rate's schedule, checkpoints, and nothing else."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from neurosim.diagnostics.observer import Observer
from neurosim.engine.threads import ThreadTeam
from neurosim.training.folder import Run
from neurosim.training.session import Session

SHAPES = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1 + math.cos(math.pi * done)),
}


@dataclass
class Progress:
    """Where training is, told after every batch.

    Args:
        epoch, batch: counted from 0; batch of this epoch done so far.
        phase: what the last batch trained.
        error: mean loss a moment in this epoch, of the phase's error units together.
        active: share of comparisons that were active in this epoch.
        done: batches done in all. seconds: of training, resumed parts included.
    """

    epoch: int = 0
    batch: int = 0
    phase: str = ""
    error: float = math.nan
    active: float = math.nan
    done: int = 0
    seconds: float = 0.0


class Interrupted(Exception):
    """Ctrl-C or a polite kill came; the run is saved."""


@dataclass
class Trainer:
    """Trains a session and keeps its run's folder.

    Args:
        session: what is trained.
        run: where it is kept; None keeps nothing.
        checkpoint_every: seconds between checkpoints.
        tell: called with a `Progress` after every batch.
    """

    session: Session
    run: Run | None = None
    checkpoint_every: float = 60.0
    tell: Callable[[Progress], None] = lambda progress: None
    progress: Progress = field(default_factory=Progress)
    totals: np.ndarray = field(default_factory=lambda: np.zeros(4))  # loss, active, comparisons, moments of the epoch
    rows: list = field(default_factory=list)
    diagnoses: list = field(default_factory=list)
    figures: np.ndarray = None  # sums over the epoch of what the rule tells
    _stop: bool = False

    def __post_init__(self):
        self.figures = np.zeros(len(self.session.rule.figures()))
        self._observer = Observer(self.session) if self.session.config.diagnose_every else None

    def start(self, team: ThreadTeam) -> None:
        """Before the first batch of a new run."""
        if self.session.config.match and self.session.rule.phases:
            self.session.match_heads(team)

    def resume(self) -> None:
        """Go back to the last checkpoint.

        Raises:
            RunError: a checkpoint that does not fit.
        """
        arrays, state = self.run.checkpoint()
        self.session.restore(arrays)
        self.progress = Progress(epoch=state["epoch"], batch=state["batch"], done=state["done"], seconds=state["seconds"])
        self.totals, self.figures = np.array(state["totals"]), np.array(state["figures"])
        self.rows, self.diagnoses = state["rows"], state["diagnoses"]

    def train(self, team: ThreadTeam) -> Progress:
        """Train to the end of the last epoch.

        Raises:
            Interrupted: after saving, when Ctrl-C or SIGTERM came.
        """
        session, progress = self.session, self.progress
        last = began = time.perf_counter()
        before = progress.seconds
        with _Signals(self):
            if not self.diagnoses:
                began += self._diagnose(team)
            while progress.epoch < session.epochs:
                self._batch(team)
                now = time.perf_counter()
                progress.seconds = before + now - began
                if progress.batch == session.batches:
                    self._end_epoch()
                began += self._diagnose(team)
                self.tell(progress)
                if self._stop:
                    self.save()
                    raise Interrupted
                if now - last >= self.checkpoint_every:
                    self.save()
                    last = time.perf_counter()
            self.save()
        return progress

    def _diagnose(self, team: ThreadTeam) -> float:
        """Look every so many batches, before the first one too; gives the seconds that it took, which are none of training."""
        session, progress = self.session, self.progress
        every, last = session.config.diagnose_every, progress.epoch == session.epochs
        if self._observer is None or (progress.done % every and not last):
            return 0.0
        began = time.perf_counter()
        place = round(progress.epoch + progress.batch / session.batches, 4)
        images = progress.done * session.config.batch
        self.diagnoses.append({"epoch": place, "images": images, **self._observer.look(team)})
        if self.run is not None:
            self.run.save_metrics(self.rows, self.diagnoses)
        return time.perf_counter() - began

    def _batch(self, team: ThreadTeam) -> None:
        session, progress, config = self.session, self.progress, self.session.config
        phase = session.rule.phase(progress.epoch, progress.batch, config.epochs)
        done = session.rule.progress(progress.epoch, progress.batch / session.batches, config.epochs)
        for plasticity in session.rule.plasticities():
            plasticity.rate.put(plasticity.base_rate * SHAPES[config.schedule](min(1.0, done)))
        session.show(progress.epoch, progress.batch)
        session.rule.draw(progress.epoch, progress.batch)
        session.program(phase).run(team)
        errors = session.rule.errors_of(phase)
        for units in errors:
            self.totals[:3] += units.value.host()
        self.totals[3] += config.batch * bool(errors)
        self.figures += [buffer.host()[0] for buffer in session.rule.figures().values()]
        progress.phase, progress.batch, progress.done = phase, progress.batch + 1, progress.done + 1
        progress.error = self.totals[0] / self.totals[3] if self.totals[3] else math.nan
        progress.active = self.totals[1] / max(1.0, self.totals[2])

    def _end_epoch(self) -> None:
        progress, session = self.progress, self.session
        spent = sum(row["seconds"] for row in self.rows)
        seconds = max(progress.seconds - spent, 1e-9)
        self.rows.append({
            "epoch": progress.epoch + 1, "phase": progress.phase if session.config.order == "greedy" else "all",
            "images": progress.done * session.config.batch, "error": progress.error, "active": progress.active,
            "rate": float(session.network.plasticity.rate.host()[0]), "seconds": round(seconds, 3),
            "images_per_second": round(session.batches * session.config.batch / seconds, 1),
            **dict(zip(session.rule.figures(), (self.figures / session.batches).tolist(), strict=True)),
        })  # fmt: skip
        progress.epoch, progress.batch = progress.epoch + 1, 0
        self.totals[:] = self.figures[:] = 0
        if self.run is not None:
            self.run.save_metrics(self.rows, self.diagnoses)

    def save(self) -> None:
        """Write a checkpoint: all arrays, and the place in the stream. Every draw is a function of that place."""
        if self.run is None:
            return
        p = self.progress
        state = {"epoch": p.epoch, "batch": p.batch, "done": p.done, "seconds": p.seconds,
                 "totals": self.totals.tolist(), "figures": self.figures.tolist(), "rows": self.rows,
                 "diagnoses": self.diagnoses}  # fmt: skip
        self.run.save_checkpoint(self.session.state(), state)


class _Signals:
    """Turns the first Ctrl-C or SIGTERM into a stop after the batch; the second acts at once."""

    def __init__(self, trainer: Trainer):
        self._trainer, self._old = trainer, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._old[number] = signal.signal(number, self._ask)

    def __exit__(self, *_):
        for number, old in self._old.items():
            signal.signal(number, old)

    def _ask(self, number, frame):
        self._trainer._stop = True
        signal.signal(number, self._old[number])
