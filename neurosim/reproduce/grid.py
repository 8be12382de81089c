"""The grid: every cell of a table with every seed, each kept when it is finished, each resumed where it stopped.

A folder holds ``cells/CELL-seedK.json``, one finished cell each, written whole, and ``runs/CELL-seedK/``, the run of a
cell: its configuration, audit, metrics, and until it is read out its checkpoint.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import neurosim
from neurosim.audit.checks import preflight_audit
from neurosim.data.sources.loading import load
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import NeurosimError, RunError, WiringError
from neurosim.readout.floor import read_out
from neurosim.reproduce.protocol import Protocol, check_scale
from neurosim.reproduce.results import FORMAT, Audited, Result, Results, audited, check_same, read_result
from neurosim.training.assembly import NOTHING, make_method
from neurosim.training.budget import within
from neurosim.training.callbacks import Checkpoints, Each, Metrics, Signals
from neurosim.training.divergence import Divergence
from neurosim.training.folder import Run, make_folder, write_json
from neurosim.training.lock import Lock
from neurosim.training.model import Model
from neurosim.training.record import Record
from neurosim.training.stream import ViewStream
from neurosim.training.trainer import Progress, Trainer

if TYPE_CHECKING:
    from neurosim.data.dataset import Dataset, Labelled
    from neurosim.reproduce.cells import Cell, Table
    from neurosim.training.config import Config


PATIENCE = 90.0  # seconds that another process may take to leave a cell's run


@dataclass(frozen=True)
class Stage:
    """Where one cell with one seed is.

    Args:
        cell: its name.
        seed: its seed.
        what: ``builds``, the phase that is trained, or ``read-out``.
        part: of the training that this start has to do, 0..1.
        epoch: the one that is trained, from 1.
        epochs: how many there are.
        error: as in `neurosim.training.trainer.Progress`.
    """

    cell: str
    seed: int
    what: str
    part: float = 0.0
    epoch: int = 0
    epochs: int = 0
    error: float = math.nan


StageCallback: TypeAlias = Callable[[Stage], None]


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
        network: instead of the paper's; see `Protocol`.
        readout: how features are read out; see `Protocol`.
        device: of the arithmetic.
        precision: of the arithmetic.
        data_dir: where the files are.
        threads: of the encoders.
        checkpoint_every: seconds between two checkpoints of a cell.

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
    labelled: Labelled = field(init=False)
    failed: dict[tuple[str, int], NeurosimError] = field(init=False, default_factory=dict)  # (name, seed) -> by what

    def __post_init__(self) -> None:
        check_scale(self.scale)
        if self.seeds < 1:
            raise WiringError(f"seeds={self.seeds}", "at least 1", "write seeds=3", "seeds")
        self.cells = self.table.choose(self.only)
        encoder = self.encoder or self.table.encoder
        where = Path(self.data_dir) if self.data_dir else None
        self.read = load(self.table.readout, where)
        self.labelled = self.read.for_readout()
        self.data = self.read if encoder == self.table.readout else load(encoder, where)
        self._set_protocol(encoder)
        for cell in self.cells:  # what cannot be built is refused before anything is trained
            self.config(cell, 0)

    def _set_protocol(self, encoder: str) -> None:
        """What all cells have in common, and as many images as it takes."""
        sizes = len(self.data.train_images), len(self.labelled.images)
        options = self.network, self.readout, self.device, self.precision
        self.protocol = Protocol(self.table, self.scale, encoder, *sizes, *options)
        self.data = self.data.first(self.protocol.images)

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

    def results(self) -> Results:
        """(cell's name, seed) -> what its file holds, of those that are finished.

        Raises:
            RunError: a file that cannot be read, of another version, or made with another protocol; and a run that was
                begun with another.
        """
        found = {}
        for cell, seed in self.tasks():
            path = self.path(cell, seed)
            if path.is_file():
                found[cell.name, seed] = read_result(path, self.protocol.identity(cell, seed))
            elif (self.folder(cell, seed) / "config.json").is_file():
                run = Run.open(self.folder(cell, seed))
                check_same(run.folder, self.protocol.described(run.config), self.protocol.identity(cell, seed))
        return found

    def unfinished(self, results: Results) -> list[tuple[Cell, int]]:
        """Cells and seeds that have no result, in order; their folders are made.

        Raises:
            RunError: a folder that cannot be written to.
        """
        for folder in (self.out, self.out / "cells", self.out / "runs"):
            make_folder(folder)
        return [(cell, seed) for cell, seed in self.tasks() if (cell.name, seed) not in results]

    def run(self, threads: int, on_stage: StageCallback, on_result: Callable[[Results], None]) -> None:
        """Run what is not finished, one cell after another; `neurosim.reproduce.pool` runs several at a time.

        A cell that fails is noted in `failed`; the others go on.

        Args:
            threads: how many compute.
            on_stage: called with a `Stage` as work goes on.
            on_result: called with all results so far, whenever a cell is finished or has failed.

        Raises:
            Interrupted: after saving, when Ctrl-C or SIGTERM came.
            RunError: see `results`; a folder that cannot be written to, or is worked on.
        """
        results = self.results()
        waiting = self.unfinished(results)
        with Lock(self.out), ThreadTeam(threads) as team:
            for cell, seed in waiting:
                found = self.attempt(cell, seed, team, on_stage, audited(results, cell))
                if isinstance(found, NeurosimError):
                    self.failed[cell.name, seed] = found
                else:
                    results[cell.name, seed] = found
                on_result(results)

    def attempt(
        self, cell: Cell, seed: int, team: ThreadTeam, on_stage: StageCallback, audit: Audited | None
    ) -> Result | NeurosimError:
        """What `finish` gives, or what it failed by."""
        try:
            # A process whose parent was killed may still save there.
            with Lock(self.out / "runs", PATIENCE, f".{cell.name}-seed{seed}.lock"):
                return self.finish(cell, seed, team, on_stage, audit)
        except NeurosimError as problem:
            return problem
        except MemoryError:
            return RunError("there is not enough memory", "room for a cell", "write a smaller --jobs")

    def finish(self, cell: Cell, seed: int, team: ThreadTeam, on_stage: StageCallback, audit: Audited | None) -> Result:
        """One cell with one seed, from its beginning or from its last checkpoint; its result, which is kept.

        Args:
            cell: which.
            seed: which.
            team: who computes.
            on_stage: as for `run`.
            audit: what the audit says of the cell, where it has been asked; see `audited`.

        Raises:
            Interrupted: after saving, when Ctrl-C or SIGTERM came.
        """
        folder = self.folder(cell, seed)
        on_stage(Stage(cell.name, seed, "builds"))
        config = self.begun(cell, seed)
        model = Model(config, self.data.image_shape)
        run, verdict, line = self._open(model, folder, audit)
        progress = self._train(Stage(cell.name, seed, ""), model, run, team, on_stage)
        on_stage(Stage(cell.name, seed, "read-out", 1.0))
        found = self.read_out(model, team)
        result = {
            "format": FORMAT,
            "neurosim": neurosim.__version__,
            "cell": cell.name,
            "seed": seed,
            "made with": self.protocol.identity(cell, seed),
            **found,
            "images_seen": progress.done * config.training.batch,
            "seconds": progress.seconds,
            "verdict": verdict,
            "audit": line,
            "wiring": model.rule.wiring(),
        }
        write_json(self.path(cell, seed), result)
        (folder / "checkpoint.npz").unlink(missing_ok=True)  # large, and no longer needed
        return result

    def begun(self, cell: Cell, seed: int) -> Config:
        """What a cell begins or goes on with; of a budget of minutes, with what it bought when it began, or buys now."""
        folder, config = self.folder(cell, seed), self.config(cell, seed)
        if config.training.minutes is not None and (folder / "config.json").is_file():
            return Run.open(folder).config
        return within(config, self.data, NOTHING)

    def read_out(self, model: Model, team: ThreadTeam) -> dict[str, Any]:
        """What a cell's read-out gives: ``test_accuracy`` of the top, as the tables have it."""
        encoder = model.encoder(image=self.read.image_shape)
        (accuracy,) = read_out(encoder, self.read, make_method(model.config), team, only_top=True)
        return {"test_accuracy": accuracy}

    def _open(self, model: Model, folder: Path, audit: Audited | None) -> tuple[Run, str, str]:
        """A cell's folder, and what the audit says of its plans; asked once a cell, whatever the seed."""
        if folder.exists() and not (folder / "config.json").is_file():
            shutil.rmtree(folder)  # killed before it began
        run = Run.open(folder) if folder.exists() else Run.create(folder, model.config, model.rule.wiring())
        if audit is None:
            verdict = preflight_audit(model)
            run.save_audit(verdict.json())
            audit = verdict.outcome, verdict.line()
        return run, *audit

    def _train(self, stage: Stage, model: Model, run: Run, team: ThreadTeam, on_stage: StageCallback) -> Progress:
        """Train a cell from its beginning or from its last checkpoint; a stage after every batch."""
        watch = Divergence()
        callbacks = [
            watch,
            Metrics(run),
            Record(run),
            Each(lambda progress: on_batch(progress)),
            Checkpoints(run, self.checkpoint_every, watch.before_saving),
            Signals(),
        ]
        trainer = Trainer(model, ViewStream(model, self.data), callbacks)
        if (run.folder / "checkpoint.npz").is_file():
            trainer.restore(*run.checkpoint())
        first, batches, epochs = trainer.progress.done, trainer.batches, trainer.epochs

        def on_batch(progress: Progress) -> None:
            part = (progress.done - first) / max(1, batches - first)  # batches of an earlier start cost nothing now
            epoch = min(progress.epoch + 1, epochs)
            on_stage(Stage(stage.cell, stage.seed, progress.phase, part, epoch, epochs, progress.error))

        return trainer.train(team)
