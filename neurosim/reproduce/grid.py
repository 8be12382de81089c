"""The grid: every cell of a table with every seed, each kept when it is finished, each resumed where it stopped.

A folder holds ``cells/CELL-seedK.json``, one finished cell each, written whole, and ``runs/CELL-seedK/``, the run of a
cell: its configuration, audit, metrics, and until it is read out its checkpoint.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import neurosim
from neurosim.audit.examine import preflight_audit
from neurosim.data.dataset import Dataset
from neurosim.data.sources.loading import load
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError, RunError, WiringError
from neurosim.readout.features import forward_weights
from neurosim.readout.floor import read_out
from neurosim.reproduce.cells import Cell, Table
from neurosim.reproduce.protocol import Protocol, check_scale
from neurosim.training.config import Config
from neurosim.training.folder import Run, make_folder, write_json
from neurosim.training.session import Session
from neurosim.training.trainer import Progress, Trainer

FORMAT = 1  # of a cell's file
WANTED = ("test_accuracy", "images_seen", "seconds", "verdict", "audit")  # what the table reads of it


@dataclass(frozen=True)
class Stage:
    """Where one cell with one seed is.

    Args:
        cell: its name. seed: its seed.
        what: ``builds``, the phase that is trained, or ``read-out``.
        part: of the training that this start has to do, 0..1.
        epoch, epochs: the one that is trained, from 1, and how many. error: as in `neurosim.training.trainer.Progress`.
    """

    cell: str
    seed: int
    what: str
    part: float = 0.0
    epoch: int = 0
    epochs: int = 0
    error: float = math.nan


Tell = Callable[[Stage], None]


@dataclass
class Grid:
    """A table's cells and seeds in a folder.

    Args:
        table: from `neurosim.reproduce.cells`.
        out: the folder; made when the first cell begins.
        scale: see `neurosim.reproduce.protocol`.
        seeds: how many, 0 .. seeds - 1.
        only: patterns of names; none: every cell.
        encoder: other data for the encoder than the table's.
        network, readout, device, precision: see `Protocol`.
        data_dir: where the files are. threads: of the encoders.
        checkpoint_every: seconds.

    Raises:
        WiringError: a scale, a number of seeds or a pattern that cannot be.
        DataError: data that are not there, or have no labels to read out.
    """

    table: Table
    out: Path
    scale: float = 1.0
    seeds: int = 3
    only: tuple[str, ...] = ()
    encoder: str | None = None
    network: str | None = None
    readout: str | None = None
    device: str | None = None
    precision: str | None = None
    data_dir: str | None = None
    threads: int | None = None
    checkpoint_every: float = 60.0
    cells: list[Cell] = field(init=False)
    protocol: Protocol = field(init=False)
    data: Dataset = field(init=False)
    read: Dataset = field(init=False)

    def __post_init__(self):
        check_scale(self.scale)
        if self.seeds < 1:
            raise WiringError(f"--seeds {self.seeds}", "at least 1", "write --seeds 3")
        self.cells = self.table.choose(self.only)
        encoder = self.encoder or self.table.encoder
        where = Path(self.data_dir) if self.data_dir else None
        self.read = load(self.table.readout, where)
        if self.read.labelled is None:
            raise DataError(f"{self.read.name} has no labels for a read-out", "training and test images with labels",
                            "take other data")  # fmt: skip
        data = self.read if encoder == self.table.readout else load(encoder, where)
        self.protocol = Protocol(self.table, self.scale, encoder, len(data.train_images), len(self.read.labelled[0]),
                                 self.network, self.readout, self.device, self.precision)  # fmt: skip
        self.data = data.first(self.protocol.images)
        for cell in self.cells:  # what cannot be built is refused before anything is trained
            self.config(cell, 0)

    def config(self, cell: Cell, seed: int) -> Config:
        """Of one cell with one seed."""
        return self.protocol.config(cell, seed, self.data_dir, self.threads)

    def tasks(self) -> Iterator[tuple[Cell, int]]:
        """Cells and seeds in the order in which they are run: a whole table of one seed, then of the next."""
        return ((cell, seed) for seed in range(self.seeds) for cell in self.cells)

    def path(self, cell: Cell, seed: int) -> Path:
        """The file of a finished cell."""
        return self.out / "cells" / f"{cell.name}-seed{seed}.json"

    def folder(self, cell: Cell, seed: int) -> Path:
        """The folder of a cell's run."""
        return self.out / "runs" / f"{cell.name}-seed{seed}"

    def results(self) -> dict[tuple[str, int], dict]:
        """(cell's name, seed) -> what its file holds, of those that are finished.

        Raises:
            RunError: a file that cannot be read, of another version, or made with another protocol; and a run that was
                begun with another.
        """
        found = {}
        for cell, seed in self.tasks():
            path = self.path(cell, seed)
            if path.is_file():
                found[cell.name, seed] = _kept(path, self.protocol.identity(cell, seed))
            elif (self.folder(cell, seed) / "config.json").is_file():
                run = Run.open(self.folder(cell, seed))
                _same(run.folder, self.protocol.told(run.config), self.protocol.identity(cell, seed))
        return found

    def unfinished(self, results: dict) -> list[tuple[Cell, int]]:
        """Cells and seeds that have no result, in order; their folders are made.

        Raises:
            RunError: a folder that cannot be written to.
        """
        for folder in (self.out, self.out / "cells", self.out / "runs"):
            make_folder(folder)
        return [(cell, seed) for cell, seed in self.tasks() if (cell.name, seed) not in results]

    def run(self, team: ThreadTeam, tell: Tell, done: Callable[[dict], None]) -> None:
        """Run what is not finished, one cell after another; `neurosim.reproduce.crew` runs several at a time.

        Args:
            team: who computes.
            tell: called with a `Stage` as work goes on.
            done: called with all results so far, whenever a cell is finished.

        Raises:
            Interrupted: after saving, when Ctrl-C or SIGTERM came.
            RunError: see `results`; and a folder that cannot be written to.
        """
        results = self.results()
        for cell, seed in self.unfinished(results):
            results[cell.name, seed] = self.finish(cell, seed, team, tell, known(results, cell))
            done(results)

    def finish(self, cell: Cell, seed: int, team: ThreadTeam, tell: Tell, audited: tuple[str, str] | None) -> dict:
        """One cell with one seed, from its beginning or from its last checkpoint; its result, which is kept.

        Args:
            cell, seed: which. team, tell: as for `run`.
            audited: what the audit says of the cell, where it has been asked; see `known`.

        Raises:
            Interrupted: after saving, when Ctrl-C or SIGTERM came.
        """
        config, folder = self.config(cell, seed), self.folder(cell, seed)
        tell(Stage(cell.name, seed, "builds"))
        session = Session(config, self.data)
        trainer, verdict, line = self._open(session, folder, audited)
        if not (folder / "checkpoint.npz").is_file():
            trainer.start(team)
        else:
            trainer.resume()
        first, batches = trainer.progress.done, session.epochs * session.batches

        def heard(progress: Progress) -> None:
            part = (progress.done - first) / max(1, batches - first)  # batches of an earlier start cost nothing now
            epoch = min(progress.epoch + 1, session.epochs)
            tell(Stage(cell.name, seed, progress.phase, part, epoch, session.epochs, progress.error))

        trainer.tell = heard
        progress = trainer.train(team)
        tell(Stage(cell.name, seed, "read-out", 1.0))
        (accuracy,) = read_out(config, self.read, forward_weights(session.network), team, only_top=True)  # as the tables
        result = {
            "format": FORMAT, "neurosim": neurosim.__version__, "cell": cell.name, "seed": seed,
            "made with": self.protocol.identity(cell, seed), "test_accuracy": accuracy,
            "images_seen": progress.done * config.batch, "seconds": progress.seconds, "verdict": verdict, "audit": line,
            "wiring": session.rule.wiring(),
        }  # fmt: skip
        write_json(self.path(cell, seed), result)
        (folder / "checkpoint.npz").unlink(missing_ok=True)  # large, and no longer needed
        return result

    def _open(self, session: Session, folder: Path, audited: tuple[str, str] | None) -> tuple[Trainer, str, str]:
        """A trainer on the cell's folder, and what the audit says of its plans; asked once a cell, whatever the seed."""
        if folder.exists() and not (folder / "config.json").is_file():
            shutil.rmtree(folder)  # killed before it began
        run = Run.open(folder) if folder.exists() else Run.create(folder, session.config, session.rule.wiring())
        if audited is None:
            report = preflight_audit(session)
            run.save_audit(report.json())
            audited = report.verdict, report.line()
        return Trainer(session, run, self.checkpoint_every), *audited


def known(results: dict, cell: Cell) -> tuple[str, str] | None:
    """The audit's verdict and line on a cell, which are those of every seed; None where it has not been asked."""
    return next(((r["verdict"], r["audit"]) for (name, _), r in results.items() if name == cell.name), None)


def _kept(path: Path, wanted: dict) -> dict:
    """What a finished cell's file holds."""
    again = "remove it, or choose another --out"
    try:
        held = json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        raise RunError(f"{path} cannot be read ({problem!r})", "the file of a finished cell", again) from None
    if not isinstance(held, dict) or not {"format", "neurosim", "made with"} <= held.keys():
        raise RunError(f"{path} does not tell its format", "the file of a finished cell", again)
    version, made = (held["format"], held["neurosim"]), held["made with"]
    missing = [name for name in WANTED if name not in held]
    if version != (FORMAT, neurosim.__version__):
        raise RunError(f"{path} has format {version[0]}, written by neurosim {version[1]}",
                       f"format {FORMAT} of neurosim {neurosim.__version__}", again)  # fmt: skip
    if missing:
        raise RunError(f"{path} has no {missing[0]}", "the file of a finished cell", again)
    _same(path, made, wanted)
    return held


def _same(path: Path, made: dict, wanted: dict) -> None:
    """Hold that what is there was made with what is asked for now."""
    made, wanted = (json.loads(json.dumps(told)) for told in (made, wanted))
    odd = sorted(name for name in made.keys() | wanted.keys() if made.get(name) != wanted.get(name))
    if odd:
        told = ", ".join(f"{name} {made.get(name)}" for name in odd[:3])
        asked = ", ".join(f"{name} {wanted.get(name)}" for name in odd[:3])
        raise RunError(f"{path} was made with {told}", f"{asked}, as asked for now", "ask as before, or choose another --out")
