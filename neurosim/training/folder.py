"""A run's folder: config.json, audit.json, metrics.csv, checkpoint.npz, results.json. Written aside, synced, renamed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import neurosim
from neurosim.core.reading import File
from neurosim.core.records import Shape, check, parsed
from neurosim.core.writing import write_whole
from neurosim.errors import RunError
from neurosim.training import shapes
from neurosim.training.config import Config
from neurosim.training.lock import refuse_held

if TYPE_CHECKING:
    from neurosim.core.typing import Array

FORMAT = 2  # of the checkpoint; raised when an older one could not be read
BEGUN = ("config.json", "audit.json", "metrics.csv")  # what a run writes before its first checkpoint
STREAMED = ("record", "recorded", "tensorboard", "wandb")  # and its folders of what is noted as it goes
ANEW = "train anew into another folder"


def write_text(path: Path, text: str) -> None:
    """Write a text by `write_whole`, in UTF-8."""
    write_whole(path, lambda file: file.write(text.encode()))


def write_json(path: Path, record: object) -> None:
    """Write a record by `write_whole`, as JSON."""
    write_text(path, json.dumps(record, indent=1) + "\n")


def read_json(path: Path, shape: Shape, expected: str, hint: str) -> dict[str, Any]:
    """Read a record that `write_json` wrote; what it should be, and how to correct it, in words.

    Raises:
        RunError: it is damaged, or of another shape.
    """
    return cast(dict[str, Any], File(path, expected, hint).json(shape))


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are not there yet.

    Raises:
        RunError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise RunError(
            f"{path} cannot be made: {problem.strerror}", "a place that can be written to", "choose another --out"
        ) from None


class Run:
    """One run's folder.

    Args:
        folder: an existing run; make one with `create`, open one with `open`.
        config: what it was asked to do.
    """

    def __init__(self, folder: Path, config: Config):
        self.folder, self.config = folder, config

    @classmethod
    def create(cls, folder: Path, config: Config, wiring: list[str], image: tuple[int, int, int] | None = None) -> Run:
        """Make the folder and its config.json.

        Args:
            folder: of the run.
            config: what it was asked to do.
            wiring: as realised, a line a path.
            image: (row, column, channel) of a picture.

        Raises:
            RunError: the folder exists and is not empty, or cannot be made.
        """
        folder = Path(os.path.expanduser(folder))
        if folder.exists():
            cls.refuse(folder)
        make_folder(folder)
        run = cls(folder, config)
        run.save_config(wiring, image)
        return run

    @staticmethod
    def refuse(folder: Path) -> None:
        """Raise, unless the folder is empty.

        Raises:
            RunError: something is there already.
        """
        if folder.is_dir():
            refuse_held(folder)
        if not folder.is_dir() or any(folder.iterdir()):
            raise RunError(
                f"{folder} exists",
                "a folder that does not exist yet",
                f"choose another --out, or go on with `neurosim train --resume {folder}`",
            )

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Open an existing run.

        Raises:
            RunError: no run there.
        """
        path = folder / "config.json"
        if not path.is_file():
            raise RunError(
                f"{folder} holds no config.json", "the folder of a run", "give the folder after --out of a run"
            )
        return cls(folder, Config.from_json(File(path).text(), str(path)))

    def save_config(self, wiring: list[str], image: tuple[int, int, int] | None = None) -> None:
        """config.json: the options, the version, the wiring as realised, and the shape of a picture."""
        record = {
            "neurosim": neurosim.__version__,
            **json.loads(self.config.to_json()),
            "wiring": wiring,
            "image": image,
            "begun_in": os.getcwd(),  # from where relative paths of the data count
        }
        write_json(self.folder / "config.json", record)

    def _noted(self) -> dict[str, Any]:
        """All of config.json, what stands beside the configuration too."""
        return read_json(self.folder / "config.json", shapes.NOTED, "the config.json that this version wrote", ANEW)

    def wiring(self) -> list[str]:
        """The wiring as realised, as config.json has it."""
        return cast(list[str], self._noted().get("wiring", []))

    def check_wiring(self, built: list[str]) -> None:
        """Hold that what is built now is wired as what was trained.

        Args:
            built: the wiring as realised now, a line a path.

        Raises:
            RunError: it is not.
        """
        trained = self.wiring()
        if built != trained:
            other = next((line for line in trained if line not in built), "another number of paths")
            raise RunError(
                f"{self.folder} was trained as {other!r}, which is not what its options build now",
                "the wiring in config.json",
                "use the version, or the rule, that trained it",
            )

    def image(self) -> tuple[int, int, int] | None:
        """(row, column, channel) of a picture, as config.json has it; None where it has not."""
        found = self._noted().get("image")
        return None if found is None else tuple(found)

    def begun_in(self) -> str:
        """The folder in which the process worked that began it: relative paths count from there; empty in older runs."""
        home = self._noted().get("begun_in")
        return home if isinstance(home, str) else ""

    def save_audit(self, report: dict[str, Any]) -> None:
        """audit.json: what the audit at the start said of the plan."""
        write_json(self.folder / "audit.json", report)

    def save_results(self, results: dict[str, Any]) -> None:
        """results.json."""
        write_json(self.folder / "results.json", results)

    def results(self) -> dict[str, Any] | None:
        """What results.json says, or None before there is one."""
        path = self.folder / "results.json"
        if not path.exists():
            return None
        file = File(path, "the file that the run wrote", "remove it and evaluate again")
        record = file.json()
        with file.whole():
            return shapes.results(record)

    def audited(self) -> dict[str, Any]:
        """What audit.json says; empty where there is none.

        Raises:
            RunError: it is damaged.
        """
        path = self.folder / "audit.json"
        if not path.exists():
            return {}
        return read_json(
            path, shapes.AUDIT, "the file that the run wrote", f"neurosim audit {self.folder} --json {path}"
        )

    def save_metrics(self, rows: list[dict[str, Any]], diagnoses: list[dict[str, Any]] | None = None) -> None:
        """metrics.csv: one row an epoch, and one a diagnosis, in the order of the images seen; what a row has not is empty."""
        text, every = io.StringIO(), [*rows, *(diagnoses or [])]
        if diagnoses:
            every.sort(key=lambda row: row["images"])
        if every:
            columns = dict.fromkeys(name for row in [*rows, *(diagnoses or [])] for name in row)
            writer = csv.DictWriter(text, list(columns), lineterminator="\n")
            writer.writeheader()
            writer.writerows(every)
        write_text(self.folder / "metrics.csv", text.getvalue())

    def metrics(self) -> list[dict[str, str]]:
        """The epochs of metrics.csv, as text; none before the first epoch."""
        return [row for row in self._rows() if row.get("error")]

    def diagnoses(self) -> list[dict[str, str]]:
        """The diagnoses of metrics.csv, as text, each with what it has; none without ``--diagnose-every``."""
        return [{name: value for name, value in row.items() if value} for row in self._rows() if not row.get("error")]

    def _rows(self) -> list[dict[str, str]]:
        path = self.folder / "metrics.csv"
        if not path.exists():
            return []
        file = File(path, "the file that the run wrote", f"neurosim train --resume {self.folder} writes it anew")
        rows = file.rows()
        with file.whole():
            for row in rows:
                int(row["images"])
                for value in (value for name, value in row.items() if value and name != "phase"):
                    float(value)
                if row.get("error"):
                    _ = int(row["epoch"]), float(row["active"])
        return rows

    def save_checkpoint(self, arrays: dict[str, Array], state: dict[str, Any]) -> None:
        """checkpoint.npz: arrays by buffer name, and the state as JSON with a digest of it all; no pickle."""
        meta = {"format": FORMAT, "neurosim": neurosim.__version__, "state": state, "digest": _digest(arrays, state)}
        text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        write_whole(self.folder / "checkpoint.npz", lambda file: np.savez(file, meta=text, **arrays))  # type: ignore[arg-type]

    def clear(self) -> None:
        """Remove what a run writes before its first checkpoint."""
        for name in BEGUN:
            (self.folder / name).unlink(missing_ok=True)
        for name in STREAMED:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    @property
    def has_checkpoint(self) -> bool:
        """Whether one was written."""
        return (self.folder / "checkpoint.npz").is_file()

    def checkpoint(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """The arrays and the state of the last checkpoint.

        Raises:
            RunError: no checkpoint, one that is cut or altered, or of another version.
        """
        path = self.folder / "checkpoint.npz"
        if not path.exists():
            raise RunError(f"{self.folder} has no checkpoint.npz", "a run that has saved one", ANEW)
        file = File(path)
        arrays = file.npz()
        with file.whole():
            meta = check(parsed(arrays.pop("meta").tobytes().decode("utf-8")), shapes.META)
            version, state, digest = meta["format"], meta["state"], meta["digest"]
        if version != FORMAT:
            raise RunError(
                f"{path} has format {version}, written by neurosim {meta.get('neurosim')}",
                f"format {FORMAT} of neurosim {neurosim.__version__}",
                "use that version, or train anew",
            )
        if digest != _digest(arrays, state):
            raise file.damaged("it was altered: its digest does not match")
        with file.whole():
            return arrays, check(state, shapes.STATE)


def _digest(arrays: dict[str, Array], state: dict[str, Any]) -> str:
    total = hashlib.sha256(json.dumps(state, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype} {array.shape}".encode())
        total.update(array.data if array.size else b"")
    return total.hexdigest()
