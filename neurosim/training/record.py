"""What a run keeps so that an audit can replay parts of it: few whole states, and digests of every lasting array."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_info

import neurosim
from neurosim.core import tuning
from neurosim.core.reading import File
from neurosim.core.records import Shape, check, parsed
from neurosim.core.writing import write_whole
from neurosim.errors import RunError
from neurosim.training.folder import Run, make_folder
from neurosim.training.trainer import Callback, Trainer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array
    from neurosim.training.config import Config

SPAN = 2  # batches after a kept state of which there are digests
LONG = 200  # batches from which on two states are kept between the start and the end, and not one
LARGEST = 2**28  # bytes of all kept states; what is more has digests alone
SAMPLES = 8  # elements of an array that are noted, for machines that give other bits
Line = dict[str, Any]
LINE: Shape = {
    "event": str,
    "done": int,
    "epochs?": int,
    "epoch?": int,
    "batch?": int,
    "state?": str,
    "machine?": dict,
}
NOTED: Shape = LINE | {"epoch": int, "batch": int, "arrays": dict}  # what the arrays held


def kept_places(total: int, seed: int) -> list[int]:
    """After how many batches a whole state is kept: at the start, shortly before the end, and once or twice between.

    Args:
        total: batches of the run.
        seed: of the run; places between are drawn from it.
    """
    rng = np.random.default_rng([seed, ord("K"), total])
    between = rng.integers(0, max(total - SPAN, 1), 1 + (total >= LONG)).tolist()
    return sorted({0, max(total - SPAN, 0), *between})


def machine(config: Config) -> dict[str, str]:
    """What decides the bits of a result: of two alike the same run leaves the same bits."""
    blas = sorted({str(each.get("architecture") or each["internal_api"]) for each in threadpool_info()})
    return {
        "neurosim": neurosim.__version__,
        "numpy": np.__version__,
        "processor": f"{platform.machine()} {' '.join(blas)}",
        "cuts": str(tuning.CPU.constants()),
        "device": config.training.device,
        "precision": config.training.precision,
    }


def digest(array: Array) -> str:
    """SHA-256 of an array's type, shape and bytes."""
    whole = np.ascontiguousarray(array)
    total = hashlib.sha256(f"{whole.dtype.str} {whole.shape}".encode())
    total.update(whole.data if whole.size else b"")
    return total.hexdigest()


def described(arrays: Mapping[str, Array]) -> dict[str, list[Any]]:
    """Name -> SHA-256, length, and some elements of each array."""
    found = {}
    for name, array in arrays.items():
        flat = np.ascontiguousarray(array).reshape(-1)
        some = flat[:: max(1, len(flat) // SAMPLES)][:SAMPLES].astype(float)
        found[name] = [digest(array), float(np.sqrt(np.vdot(flat, flat).astype(float))), some.tolist()]
    return found


class Recording:
    """The record of a run's folder: ``record/record.jsonl``, a line an event, and whole states beside it.

    Args:
        run: whose.
    """

    def __init__(self, run: Run):
        self.folder = run.folder / "record"
        self.path = self.folder / "record.jsonl"

    def lines(self) -> list[Line]:
        """All lines in order; one that was cut ends them."""
        found: list[Line] = []
        if not self.path.exists():
            return found
        file = File(self.path, "the record that the run wrote", "remove the folder record to go on without it")
        for text in file.read().decode("utf-8", "replace").splitlines():
            try:
                found.append(_line(text))
            except (ValueError, RecursionError):
                break
        return found

    def count(self) -> int:
        """How many lines are there, those that cannot be read among them."""
        return self.path.read_bytes().count(b"\n") if self.path.exists() else 0

    def rewrite(self, lines: list[Line]) -> None:
        """These lines and no others; states that none of them names are removed."""
        make_folder(self.folder)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        write_whole(self.path, lambda file: file.write(text.encode()))
        named = {line.get("state") for line in lines}
        for path in self.folder.glob("state-*.npz"):
            if path.name not in named:
                path.unlink()

    def add(self, line: Line) -> None:
        """One line more."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def keep(self, name: str, arrays: Mapping[str, Array]) -> None:
        """A whole state."""
        write_whole(self.folder / name, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]

    def state(self, name: str) -> dict[str, Array] | None:
        """A whole state; None where it cannot be read."""
        try:
            return File(self.folder / Path(name).name).npz()
        except RunError:
            return None


def _line(text: str) -> Line:
    """A line of a record.

    Raises:
        ValueError: it is none.
    """
    line = check(parsed(text), LINE)
    if line["event"] == "state":
        for name, each in check(line, NOTED)["arrays"].items():
            if len(check(each, list, name)) != 3:
                raise ValueError(f"{name} has no digest, length and elements")
            _ = check(each[0], str, name), check(each[1], float, name), check(each[2], [float], name)
    return dict(line)


class Record(Callback):
    """Keeps a run's record while it is trained.

    A run that is resumed goes on with it: what lies behind its checkpoint is forgotten, and comes again with the same bits.

    Args:
        run: whose.
    """

    def __init__(self, run: Run):
        self._recording = Recording(run)
        self._kept: list[int] = []
        self._noted: set[int] = set()
        self._bytes = 0
        self._buffers: dict[str, Buffer] = {}
        self._bounds: dict[str, Array] = {}

    def on_start(self, trainer: Trainer) -> None:
        done, config, rule = trainer.progress.done, trainer.model.config, trainer.model.rule
        # As `Model.state` has them, without copies.
        self._buffers = {s.name: s.weight for s in rule.synapses()} | trainer.model.buffers()
        self._bounds = {f"bound {s.name}": np.asarray(np.float64(s.bound)) for s in rule.synapses()}
        lines = [line for line in self._recording.lines() if line["done"] <= done] if done else []
        epochs = [line["epochs"] for line in lines if "epochs" in line]
        begun = {"event": "resume" if done else "begin", "done": done, "machine": machine(config)}
        self._recording.rewrite([*lines, {**begun, "epochs": config.training.epochs}])
        self._kept = kept_places(trainer.batches, config.training.seed)
        self._noted = {place + n for place in self._kept for n in range(SPAN + 1)}
        self._bytes = 0
        # With more epochs the rate follows another schedule, so that nothing is replayed from before.
        self._note(trainer, done == 0 or epochs[-1:] != [config.training.epochs])

    def on_batch(self, trainer: Trainer) -> None:
        done = trainer.progress.done
        if done in self._noted or trainer.progress.batch == 0:
            self._note(trainer, done in self._kept)

    def on_stop(self, trainer: Trainer) -> None:
        progress = trainer.progress
        if not trainer.failed and progress.done not in self._noted and progress.batch != 0:
            self._note(trainer, False)

    def _note(self, trainer: Trainer, whole: bool) -> None:
        """A line about what the arrays hold now, and where asked for all that they hold."""
        progress, arrays = trainer.progress, {n: b.host() for n, b in self._buffers.items()} | self._bounds
        line: Line = {"event": "state", "done": progress.done, "epoch": progress.epoch, "batch": progress.batch}
        size = sum(array.nbytes for array in arrays.values())
        if whole and (self._bytes + size <= LARGEST or progress.done in (self._kept[0], self._kept[-1])):
            line["state"] = f"state-{progress.done:08d}.npz"
            self._recording.keep(line["state"], arrays)
            self._bytes += size
        self._recording.add({**line, "arrays": described(arrays)})
