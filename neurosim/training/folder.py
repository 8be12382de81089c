"""A run's folder: config.json, audit.json, metrics.csv, checkpoint.npz, results.json. Written aside, synced, renamed."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

import neurosim
from neurosim.errors import RunError
from neurosim.training.config import Config
from neurosim.training.lock import refuse_held

if TYPE_CHECKING:
    from neurosim.core.typing import Array

FORMAT = 2  # of the checkpoint; raised when an older one could not be read


RESUME = "free some and resume; the last checkpoint is whole"


def write_whole(path: Path, write: Callable[[BinaryIO], object], hint: str = RESUME) -> None:
    """Write a file so that its name always holds a whole one: aside, synced, renamed.

    Args:
        path: where it belongs.
        write: called with an open binary file.
        hint: what to do where it cannot be written.

    Raises:
        RunError: no space, no permission; what was there before stays.
    """
    aside = None
    try:
        handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            write(file)
            mask = os.umask(0)  # reading it means setting it
            os.umask(mask)
            os.chmod(aside, 0o666 & ~mask)  # as any new file; a temporary one is for its owner alone
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
        aside = None
    except OSError as problem:
        why = "no space is left on the disk" if problem.errno == errno.ENOSPC else problem.strerror
        raise RunError(f"{path} could not be written: {why}", "a folder with space", hint) from None
    finally:
        if aside is not None:  # it failed, or was stopped
            Path(aside).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text by `write_whole`, in UTF-8."""
    write_whole(path, lambda file: file.write(text.encode()))


def write_json(path: Path, record: object) -> None:
    """Write a record by `write_whole`, as JSON."""
    write_text(path, json.dumps(record, indent=1) + "\n")


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
        return cls(folder, Config.from_json(path.read_text(encoding="utf-8"), str(path)))

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
        return cast(dict[str, Any], json.loads((self.folder / "config.json").read_text(encoding="utf-8")))

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
        try:
            return cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
        except ValueError:
            raise RunError(
                f"{path} is not JSON", "the file that the run wrote", "remove it and evaluate again"
            ) from None

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
        if not path.is_file():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def save_checkpoint(self, arrays: dict[str, Array], state: dict[str, Any]) -> None:
        """checkpoint.npz: arrays by buffer name, and the state as JSON with a digest of it all; no pickle."""
        meta = {"format": FORMAT, "neurosim": neurosim.__version__, "state": state, "digest": _digest(arrays, state)}
        text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        write_whole(self.folder / "checkpoint.npz", lambda file: np.savez(file, meta=text, **arrays))  # type: ignore[arg-type]

    def clear(self) -> None:
        """Remove what a run writes before its first checkpoint."""
        for name in ("config.json", "audit.json", "metrics.csv"):
            (self.folder / name).unlink(missing_ok=True)

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
        again = "train anew into another folder"
        if not path.is_file():
            raise RunError(f"{self.folder} has no checkpoint.npz", "a run that has saved one", again)
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            meta = json.loads(arrays.pop("meta").tobytes())
            version, state, digest = meta["format"], meta["state"], meta["digest"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, NotImplementedError) as problem:
            raise RunError(
                f"{path} is cut or altered ({str(problem).splitlines()[0]})", "the file as the run wrote it", again
            ) from None
        if version != FORMAT:
            raise RunError(
                f"{path} has format {version}, written by neurosim {meta.get('neurosim')}",
                f"format {FORMAT} of neurosim {neurosim.__version__}",
                "use that version, or train anew",
            )
        if digest != _digest(arrays, state):
            raise RunError(f"{path} was altered: its digest does not match", "the file as the run wrote it", again)
        return arrays, state


def _digest(arrays: dict[str, Array], state: dict[str, Any]) -> str:
    total = hashlib.sha256(json.dumps(state, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype} {array.shape}".encode())
        total.update(array.data if array.size else b"")
    return total.hexdigest()
