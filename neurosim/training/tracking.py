"""Metrics for other programs: TensorBoard's event files, or an offline run of Weights & Biases. metrics.csv has them anyway."""

from __future__ import annotations

import math
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from neurosim.errors import RunError
from neurosim.training.trainer import Callback, Row, Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neurosim.training.folder import Run

LIBRARIES = {"tensorboard": "tensorboardX", "wandb": "wandb"}  # what writes each


def check(name: str | None) -> None:
    """Hold that what is asked for can be written here.

    Raises:
        RunError: its library is not installed.
    """
    if name is not None and LIBRARIES[name] not in sys.modules and find_spec(LIBRARIES[name]) is None:
        raise RunError(
            f"track={name!r} without {LIBRARIES[name]}",
            "it installed",
            "run pip install 'neurosim[track]'",
            argument="track",
        )


class Tracking(Callback):
    """Writes every epoch's row and every diagnosis, over the images seen, where the configuration asks for it.

    Args:
        run: in whose folder; None: nothing is kept.
    """

    def __init__(self, run: Run | None):
        self._run, self._writer = run, None
        self._written = 0, 0  # rows, diagnoses

    def on_start(self, trainer: Trainer) -> None:
        name = trainer.model.config.training.track
        if name is None:
            return
        if self._run is None:
            raise RunError(
                f"track={name!r} without a folder", "one for its files", "write fit(out=...)", argument="track"
            )
        self._written = len(trainer.rows), len(trainer.diagnoses)
        seen = trainer.progress.done * trainer.model.config.training.batch
        self._writer = {"tensorboard": _TensorBoard, "wandb": _Wandb}[name](self._run, seen)  # type: ignore[assignment]

    def on_epoch(self, trainer: Trainer) -> None:
        self._write(trainer)

    def on_batch(self, trainer: Trainer) -> None:
        self._write(trainer)

    def on_stop(self, trainer: Trainer) -> None:
        if self._writer is not None:
            self._write(trainer)
            self._writer.close()
            self._writer = None

    def _write(self, trainer: Trainer) -> None:
        rows, diagnoses = self._written
        if self._writer is not None and (len(trainer.rows), len(trainer.diagnoses)) != self._written:
            for row in [*trainer.rows[rows:], *trainer.diagnoses[diagnoses:]]:
                self._writer.add(dict(_numbers(row)), row["images"])
            self._written = len(trainer.rows), len(trainer.diagnoses)


def _numbers(row: Row) -> Iterator[tuple[str, float]]:
    for name, value in row.items():
        if name not in ("images", "epoch") and isinstance(value, int | float) and math.isfinite(value):
            yield name, float(value)


class _TensorBoard:
    """Event files in ``tensorboard/``; what lies behind a checkpoint is taken back when a run is resumed."""

    def __init__(self, run: Run, seen: int):
        from tensorboardX import SummaryWriter

        self._writer: Any = SummaryWriter(str(run.folder / "tensorboard"), purge_step=seen + 1 if seen else None)

    def add(self, numbers: dict[str, float], images: int) -> None:
        """A row, at so many images seen."""
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, images)

    def close(self) -> None:
        """No more follow."""
        self._writer.close()


class _Wandb:
    """An offline run in ``wandb/``; ``wandb sync`` sends it, where somebody wants that."""

    def __init__(self, run: Run, seen: int):
        import wandb

        config = {name: value for name, value in run.config.flat().items() if value is not None}
        settings = wandb.Settings(silent=True, console="off", disable_git=True, save_code=False)
        self._run: Any = wandb.init(
            mode="offline",
            dir=str(run.folder),
            project="neurosim",
            name=run.folder.name,
            config=config,
            settings=settings,
        )

    def add(self, numbers: dict[str, float], images: int) -> None:
        """A row, at so many images seen."""
        self._run.log({**numbers, "images": images})

    def close(self) -> None:
        """No more follow."""
        self._run.finish()
