"""What really happened in a finished run: its record against its seed, its checkpoint, and batches trained once more."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.audit.evidence import Evidence
from neurosim.audit.symmetry.chance import pearson
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import NeurosimError
from neurosim.training.model import Model
from neurosim.training.record import SPAN, Recording, described, machine
from neurosim.training.stream import ViewStream, load_data
from neurosim.training.trainer import Callback, Interrupted, Trainer

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.training.folder import Run
    from neurosim.training.record import Line

SECONDS = 8.0  # for all segments of a run that are trained once more
CLOSE = 0.02  # of an array's largest element: how far another machine may come in a few batches
ALIKE, SAME = 0.99, 0.2  # correlations: feedback that became a copy; what was different between the two, and is no more
NO_RECORD = (
    "this run kept no record: only its start, made again from its seed, and its checkpoint are there; what happened between "
    "them was not replayed"
)
EVENTS = ("begin", "resume", "state")  # of a record
Described = dict[str, list[Any]]


class RunRecord:
    """Asks a run's folder whether its plan, and nothing else, made what its checkpoint holds.

    Args:
        run: finished, or stopped.
        seconds: for training segments once more.
        seed: of the choice of segments; None: another each time, noted in the evidence.
    """

    def __init__(self, run: Run, seconds: float = SECONDS, seed: int | None = None):
        self.run, self.seconds = run, seconds
        self.seed = secrets.randbelow(2**32) if seed is None else seed
        self.evidence = Evidence("record")
        self.recording = Recording(run)

    def analyse(self) -> Evidence:
        """All answers."""
        # What a GPU trained is replayed on the CPU, within tolerance.
        config = self.run.config
        if config.training.device != "cpu":
            config = config.replace(device="cpu", precision="float32")
        data = load_data(config)
        self.model = Model(config, data.image_shape)
        self.stream = ViewStream(self.model, data)
        lines, epochs = self.recording.lines(), config.training.epochs
        begun = [line for line in lines if "epochs" in line]
        self.states = []
        self._events([str(line.get("event")) for line in lines])
        for line in lines:
            epochs = line.get("epochs", epochs)
            if line.get("event") == "state":
                self.states.append({**line, "under": epochs})
        self.exact = bool(begun) and all(line.get("machine") == machine(self.run.config) for line in begun)
        self.exact = self.exact and config == self.run.config
        arrays, state = self.run.checkpoint()
        with ThreadTeam(config.training.threads) as team:
            self.model.ready(self.stream, team)
            self.start = self.model.state()
            self._fixed(arrays)
            self._similar(arrays)
            if not self.states:
                self.evidence.leave_out(NO_RECORD)
                return self.evidence
            self._ends(arrays, state)
            self._resumed()
            self._segments(team, int(state["done"]))
        return self.evidence

    def _find(self, condition: str, text: str) -> None:
        self.evidence.add_finding(condition, text, why="no plan shows what happened between its steps")

    # -- what the folder says

    def _events(self, events: list[str]) -> None:
        """Every line of the record is one that training writes, and none is cut; a last one may be, where a run was killed."""
        unknown = [n for n, event in enumerate(events, 1) if event not in EVENTS]
        if unknown:
            self._find("declared", f"record.jsonl, line {unknown[0]}, is none that training writes: it was altered")
        written = self.recording.count()
        if written > len(events) + 1:
            text = (
                f"record.jsonl cannot be read from line {len(events) + 1} on, and has {written} lines: it was altered"
            )
            self._find("declared", text)

    def _fixed(self, arrays: dict[str, Array]) -> None:
        """What no step of the plan changes is the same from the start to the end."""
        buffers = self.model.buffers()
        plans = [self.model.plan(phase) for phase in self.model.rule.phases]
        changed = {b.base.name for plan in plans for step in plan for b in step.changed.values()}
        fixed = [name for name in buffers if name not in changed and name in arrays]
        for name in fixed:
            role = buffers[name].role
            first = np.allclose(arrays[name], self.start[name], rtol=1e-5, atol=0)
            moved = [line["done"] for line in self.states if _moved(line, self.states[0], name)]
            if moved or not first:
                when = f"after {moved[0]} batches" if moved else "at the end"
                text = f"{name} ({role}) is fixed: no step changes it, and {when} it is not what it was at the start"
                self._find("iii" if role.is_weight and not role.is_forward else "declared", text)
        if fixed:
            self.evidence.add_check(
                "declared", f"{', '.join(fixed)}, which no step changes, are as they were at the start"
            )

    def _similar(self, arrays: dict[str, Array]) -> None:
        """Feedback that became a copy of forward weights, and what lay between the two at the start is gone."""
        weights = {name: b for name, b in self.model.weights().items() if name in arrays and b.array.size > 1}
        forward = [name for name, b in weights.items() if b.role.is_forward]
        start, end = ({name: each[name].astype(float) for name in weights} for each in (self.start, arrays))
        for name in (n for n, b in weights.items() if n not in forward):
            for other in (o for o in forward if arrays[o].shape == arrays[name].shape):
                was, now = (pearson(each[name], each[other]) for each in (start, end))
                left = pearson(end[other] - end[name], start[other] - start[name])
                if abs(now) > ALIKE and abs(was) < ALIKE:
                    text = f"{name} against {other}: correlation {was:+.3f} at the start, {now:+.3f} at the end"
                    if abs(left) < SAME:
                        what = "what differed between them at the start is not what differs now"
                        self._find("iii", f"{text}, and {what}: no equal outer products explain it")
                    elif not self.states:
                        self.evidence.leave_out(f"{text}: no audited step explains it")

    def _ends(self, arrays: dict[str, Array], state: dict[str, Any]) -> None:
        """The record begins with the weights of the seed, and ends with the checkpoint; its states are what it notes."""
        first = self.states[0]
        if first["done"] == 0:
            wrong = self._differing(described(self.start), first["arrays"])
            if wrong:
                self._find("declared", f"the run did not start from the weights of its seed: {_names(wrong)} differs")
        else:
            self.evidence.leave_out(f"the record begins after {first['done']} batches")
        last = [line for line in self.states if line["done"] == state["done"]]
        if last:
            wrong = _different(described(arrays), last[-1]["arrays"])
            if wrong:
                self._find("declared", f"checkpoint.npz holds another {_names(wrong)} than training left")
        else:
            self.evidence.leave_out(f"the record has no line for the checkpoint, after {state['done']} batches")
        for line in self.states:
            kept = self.recording.state(line["state"]) if "state" in line else {}
            if kept is None:
                self.evidence.leave_out(f"{line['state']} is missing or cut")
            elif kept and (wrong := _different(described(kept), line["arrays"])):
                self._find("declared", f"{line['state']} holds another {_names(wrong)} than the record notes")

    def _resumed(self) -> None:
        """What was noted twice, when it was stopped and when it went on, is the same."""
        for before, after in zip(self.states, self.states[1:], strict=False):
            if before["done"] == after["done"]:
                wrong = self._differing(before["arrays"], after["arrays"])
                if wrong:
                    text = f"{_names(wrong)} was changed between a stop after {after['done']} batches and going on"
                    self._find("declared", text)

    # -- what training once more gives

    def _segments(self, team: ThreadTeam, done: int) -> None:
        """Train from kept states on, each to the next one or as far as there is time: the last first, the others at random."""
        kept = [line for line in self.states if "state" in line]
        order = kept[-1:] + [kept[n] for n in np.random.default_rng(self.seed).permutation(len(kept) - 1)]
        until, count = time.monotonic() + self.seconds, 0
        places: list[str] = []
        for number, line in enumerate(order):
            ends = [other["done"] for other in kept if other["done"] > line["done"]]
            later = [e for e in self.states if line["done"] < e["done"] <= min(ends, default=done)]
            later = [e for e in later if e["under"] == line["under"]]
            arrays = self.recording.state(line["state"])
            if not later or arrays is None or (number and time.monotonic() > until):
                continue
            share = (until - time.monotonic()) / (len(order) - number)
            batches, wrong = self._train(team, line, later, arrays, time.monotonic() + share)
            count += batches
            places.append(f"{line['done'] + 1} to {line['done'] + batches}")
            if wrong:
                text = (
                    f"batch {wrong[0]}, reached once more from the state after {line['done']} batches, leaves another"
                )
                self._find("declared", f"{text} {wrong[1]} than the run")
        self._say(count, done, places)

    def _say(self, count: int, done: int, places: list[str]) -> None:
        """How much was trained once more, and how much was not."""
        how = "bit for bit" if self.exact else f"within {CLOSE:.0%} of the largest element (another kind of machine)"
        if places and not self.evidence.findings:
            text = (
                f"{count} of {done} batches trained once more ({', '.join(places)}; choice {self.seed}): the same {how}"
            )
            self.evidence.add_check("declared", text)
        self.evidence.interventions += count
        if count < done:
            self.evidence.leave_out(f"{done - count} of {done} batches of the run were not trained once more")

    def _train(
        self, team: ThreadTeam, line: Line, later: list[Line], arrays: dict[str, Array], until: float
    ) -> tuple[int, tuple[int, str] | None]:
        """How many batches were the same; the line that was not, and what differed."""
        self.model.config = self.model.config.replace(epochs=line["under"])
        trainer = Trainer(self.model, self.stream)
        zeros = {"totals": [0.0] * 4, "figures": [0.0] * len(self.model.rule.figures()), "rows": [], "diagnoses": []}
        place = {name: line[name] for name in ("epoch", "batch", "done")}
        trainer.restore(arrays, {**place, "seconds": 0.0, **zeros})
        compare = _Compare(self, later, until)
        trainer.callbacks = [compare]
        try:
            trainer.train(team)
        except Interrupted:
            pass
        except NeurosimError as problem:
            return compare.same - line["done"], (compare.same + 1, f"nothing, but fails ({problem})")
        return max(0, compare.same - line["done"]), compare.wrong

    def _differing(self, mine: Described, noted: Described) -> list[str]:
        """Names of arrays that are not the same: bit for bit, or within tolerance where another machine noted them."""
        return _different(mine, noted) if self.exact else _apart(mine, noted)


class _Compare(Callback):
    """Compares every batch of which the record has a line.

    It stops at the last, at a difference, or where time is up, but not before a few lines were compared.
    """

    def __init__(self, record: RunRecord, later: list[Line], until: float):
        self.record, self.until = record, until
        self.later = {line["done"]: line["arrays"] for line in later}
        self.first = sorted(self.later)[:SPAN][-1]
        self.same = 0  # batches of the run until which nothing differed
        self.wrong: tuple[int, str] | None = None

    def on_batch(self, trainer: Trainer) -> None:
        done = trainer.progress.done
        if done in self.later:
            wrong = self.record._differing(described(trainer.model.state()), self.later[done])
            self.wrong = (done, _names(wrong)) if wrong else None
            self.same = self.same if wrong else done
        if self.wrong or done >= max(self.later) or (done >= self.first and time.monotonic() > self.until):
            trainer.stop()


# -- lines of the record


def _moved(line: Line, first: Line, name: str) -> bool:
    """Whether an array is not what it was in the first line."""
    return name in line["arrays"] and name in first["arrays"] and line["arrays"][name][0] != first["arrays"][name][0]


def _different(mine: Described, noted: Described) -> list[str]:
    return sorted(n for n in mine.keys() | noted.keys() if n not in mine or n not in noted or mine[n][0] != noted[n][0])


def _apart(mine: Described, noted: Described) -> list[str]:
    """Arrays whose length or whose noted elements are further apart than `CLOSE`."""
    wrong = []
    for name in mine.keys() | noted.keys():
        if name not in mine or name not in noted:
            wrong.append(name)
            continue
        (_, size, some), (_, other, others) = mine[name], noted[name]
        largest = max(1e-12, *map(abs, others), *map(abs, some)) if some else 1e-12
        far = len(some) != len(others) or any(abs(a - b) > CLOSE * largest for a, b in zip(some, others, strict=False))
        if far or abs(size - other) > CLOSE * max(size, other):
            wrong.append(name)
    return sorted(wrong)


def _names(wrong: list[str]) -> str:
    return ", ".join(wrong[:4]) + " and more" * (len(wrong) > 4)
