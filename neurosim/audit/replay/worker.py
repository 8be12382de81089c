"""What runs in a fresh process: builds the target, loads declared state, runs the batch, and says what every step left.

``python -m neurosim.audit.replay.worker FOLDER``, with a job.json in the folder as `process.FreshProcess` writes it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.audit.replay.digests import digests
from neurosim.audit.replay.disguise import as_training, elsewhere, shift_clock
from neurosim.audit.replay.process import STAGE, Answer, History, kept_moment
from neurosim.audit.replay.recipe import Recipe, rooms
from neurosim.audit.replay.state import Player, declared, load, written_plans
from neurosim.audit.replay.watch import BUILT, Watch
from neurosim.core import tuning
from neurosim.engine.threads import ThreadTeam
from neurosim.training.alone import salted

if TYPE_CHECKING:
    from neurosim.audit.replay.state import Arrays
    from neurosim.audit.target import AuditTarget


def main(folder: Path) -> None:
    """Do the job in a folder, and write answer.json there."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answer = Answer()
    try:
        job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        for name, value in job["tuning"].items():
            setattr(tuning.CPU, name, value)
        if job["places"]:
            _at(folder, "it took digests of the code in memory")
            answer.bare = digests(job["places"])
        if job["recipe"] is not None:
            _replay(job, answer, folder)
    except BaseException as problem:  # whatever somebody else's code does: it is said, and decides nothing here
        answer.problem = f"{type(problem).__name__}: {problem}".splitlines()[0]
    aside = folder / "answer.aside"
    aside.write_text(json.dumps(dataclasses.asdict(answer)), encoding="utf-8")
    aside.replace(folder / "answer.json")
    os._exit(0)  # threads of somebody else's cannot hold it


def _at(folder: Path, what: str) -> None:
    """Say what is done next, for who waits for an answer in vain."""
    (folder / STAGE).write_text(what, encoding="utf-8")


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _replay(job: dict[str, Any], answer: Answer, folder: Path) -> None:
    history, watch = History(**job["history"]), Watch()
    answer.heard = watch.heard
    shift_clock(history.ahead)
    sys.path[:] = job["path"]
    os.chdir(job["cwd"])
    rooms()
    if history.training:
        as_training(job["environment"])
    _at(folder, "it built the rule")
    watch.place = BUILT
    with salted(history.salt, job["bounds"]):
        target = Recipe(**job["recipe"]).build()
    watch.place = ""
    answer.built = True
    answer.plans = written_plans(target)
    elsewhere(str(folder / "empty"), history.name.split()[0])
    states = [kept_moment(Path(path)) for path in job["moments"]]
    with ThreadTeam(1) as team, ThreadPoolExecutor(1, initializer=partial(np.seterr, all="ignore")) as aside:
        player = Player(target, team, aside, watch)
        for number in history.order:
            _at(folder, f"it ran moment {number + 1}")
            for other in history.others:
                _show(target, states[other])
                player.play()
            load(target, states[number])
            answer.left[str(number)] = player.play()


def _show(target: AuditTarget, state: Arrays) -> None:
    """Put what is given of another moment before a target; what lasts stays as it is."""
    for name, buffer in declared(target).items():
        if not buffer.lasts and name in state:
            buffer.put(state[name])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
