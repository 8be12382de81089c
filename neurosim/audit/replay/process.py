"""Fresh processes: started by ``python -m``, given what to build and what to load, asked what every step leaves."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neurosim.audit.package import digest, file_digest
from neurosim.core import tuning
from neurosim.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neurosim.audit.replay.recipe import Recipe
    from neurosim.audit.replay.state import Arrays

WORKER = "neurosim.audit.replay.worker"
CHANGED = ("PYTHONPATH", "OPENBLAS_NUM_THREADS")  # variables of the environment that are set for it
STAGE = "stage"  # file in which it says what it does
TIMEOUT = 60.0  # seconds for one process


@dataclass(frozen=True)
class History:
    """What a fresh process has behind it when it is asked.

    Args:
        name: of the process, in messages.
        salt: of the initial weights that the rule is built with; 0: none, they are the network's own.
        order: in which the moments are replayed, by number.
        others: numbers of the moments whose given arrays are run before each of them.
        ahead: seconds by which its clocks are wrong.
        training: it looks like a training, not like an audit.
    """

    name: str
    salt: int
    order: tuple[int, ...]
    others: tuple[int, ...] = ()
    ahead: int = 0
    training: bool = False


@dataclass
class Answer:
    """What a fresh process found.

    Args:
        problem: why there is nothing, in one line; empty: there is.
        late: it was ended because its time was up.
        built: whether it built the target.
        plans: see `neurosim.audit.replay.state.written_plans`.
        left: number of the moment -> every step with the digests of what it left.
        bare: qualified name -> digest of the code in memory before anything of the rule's was imported.
        heard: where somebody else's code asked for what no array declares, and what, see `neurosim.audit.replay.watch`.
    """

    problem: str = ""
    late: bool = False
    built: bool = False
    plans: dict[str, list[Any]] = field(default_factory=dict)
    left: dict[str, list[Any]] = field(default_factory=dict)
    bare: dict[str, str] = field(default_factory=dict)
    heard: list[Any] = field(default_factory=list)


class FreshProcess:
    """One process that is running.

    Args:
        recipe: what it builds; None: nothing.
        history: what it has behind it.
        folder: an empty one for this process alone.
        moments: files of the moments, in order.
        places: names of modules whose code it takes the digests of, before it builds anything; none: it takes none.
        bounds: of the synapses' initial weights, by name.
    """

    def __init__(
        self,
        recipe: Recipe | None,
        history: History,
        folder: Path,
        moments: Sequence[Path] = (),
        places: Sequence[str] = (),
        bounds: Mapping[str, float] | None = None,
    ):
        self.name, self._folder, self._began = history.name, folder, time.monotonic()
        job = {
            "recipe": recipe and dataclasses.asdict(recipe),
            "history": dataclasses.asdict(history),
            "moments": [str(path) for path in moments],
            "places": list(places),
            "bounds": {name: float(bound) for name, bound in (bounds or {}).items()},
            "path": sys.path,
            "cwd": os.getcwd(),
            "tuning": tuning.CPU.constants(),
            "environment": {word: os.environ.get(word) for word in CHANGED},
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        (folder / "empty").mkdir()
        path = os.pathsep.join(each or os.getcwd() for each in sys.path)
        with (folder / "printed").open("wb") as printed:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", WORKER, str(folder)],
                stdin=subprocess.PIPE,  # its end tells the process that nobody waits for it any more
                stdout=printed,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            )

    def answer(self, until: float) -> Answer:
        """Wait for what it found.

        Args:
            until: moment of `time.monotonic` when it is ended.
        """
        try:
            code = self._process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.end()
            given = max(0.0, until - self._began)
            return Answer(f"the {self.name} did not end within its {given:.0f} s{self._left()}", late=True)
        self.end()
        path = self._folder / "answer.json"
        if not path.is_file():
            how = f"with exit code {code}" if code >= 0 else f"by signal {-code}"
            return Answer(f"the {self.name} ended {how} and no answer{self._left()}")
        return Answer(**cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8"))))

    def _left(self) -> str:
        """What is known of a process without an answer: how far it came, its last words, whether its files are others."""
        stage = self._folder / STAGE
        words = f", while {stage.read_text('utf-8')}" if stage.is_file() else ", before it had imported neurosim"
        printed = (self._folder / "printed").read_text("utf-8", errors="replace").strip()
        if printed:
            words += f"; its last words: {printed.splitlines()[-1][:200]}"
        if file_digest() != digest():
            words += "; the package's files have changed since this process imported them"
        return words

    def end(self) -> None:
        """Stop it, where it is still running."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


@functools.cache
def bare_digests(places: tuple[str, ...]) -> dict[str, str]:
    """Digests of the package's code in a process that imports nothing else, see `neurosim.audit.replay.digests`.

    Args:
        places: names of modules.

    Raises:
        UndecidedError: it gave no answer; the next who asks starts another one.
    """
    with tempfile.TemporaryDirectory(prefix="neurosim-replay-") as place:
        history = History("bare process", 0, ())
        found = FreshProcess(None, history, Path(place), places=places).answer(time.monotonic() + TIMEOUT)
    if found.problem:
        raise UndecidedError(found.problem, "digests of the code in memory", "audit again, where less else runs")
    return found.bare


def keep_moment(path: Path, arrays: Arrays) -> None:
    """Write declared state for another process."""
    names = list(arrays)
    text = np.frombuffer(json.dumps(names).encode(), np.uint8)
    values: dict[str, Any] = {f"a{number}": arrays[name] for number, name in enumerate(names)}
    with path.open("wb") as file:
        np.savez(file, names=text, **values)


def kept_moment(path: Path) -> Arrays:
    """Read what `keep_moment` wrote."""
    with np.load(path, allow_pickle=False) as file:
        names = json.loads(file["names"].tobytes())
        return {name: file[f"a{number}"] for number, name in enumerate(names)}
