"""Whether what is declared is all that there is: batches replayed from it in fresh processes, code compared with its files."""

from __future__ import annotations

import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosim.audit.evidence import Evidence
from neurosim.audit.finite import require_finite
from neurosim.audit.package import SHOWN, digest
from neurosim.audit.replay.digests import differences, digests, places
from neurosim.audit.replay.process import TIMEOUT, Answer, FreshProcess, History, bare_digests, keep_moment
from neurosim.audit.replay.recipe import LIVE
from neurosim.audit.replay.state import Left, Player, declared, read, wired_again, written_plans
from neurosim.audit.replay.watch import BUILT
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import UndecidedError

if TYPE_CHECKING:
    from neurosim.audit.replay.recipe import Recipe
    from neurosim.audit.replay.state import Arrays
    from neurosim.audit.target import AuditTarget

Plans = dict[str, list[Any]]  # see `written_plans`
EPOCH = 3  # batches before an epoch's end
DAY = 86400
NOT_REPLAYED = "hidden state not replayed"
MOST = 6  # names in one finding
LISTENED = "only who listens to the interpreter hears it"


@dataclass
class Moment:
    """A batch as the audited process ran it.

    Args:
        epoch, batch: counted from 0.
        state: declared state before it.
        left: what every step left.
    """

    epoch: int
    batch: int
    state: Arrays
    left: list[Left]

    def __str__(self) -> str:
        return f"epoch {self.epoch + 1}, batch {self.batch + 1}"


class Replay:
    """Asks whether a target keeps anything that it does not declare.

    Args:
        target: whose; its arrays are as before afterwards.
        seconds: that fresh processes may take together.
    """

    def __init__(self, target: AuditTarget, seconds: float = TIMEOUT):
        self.target, self.seconds = target, seconds
        self.evidence = Evidence("replay")

    def analyse(self) -> Evidence:
        """All answers."""
        recipe = self.target.recipe
        if recipe is None:
            self._leave_out(LIVE)
            self._compare_bare(places())
            return self.evidence
        plans = written_plans(self.target)
        every = {b.name: b for plan in self.target.plans.values() for b in plan.buffers}
        for buffer in every.values():
            buffer.own_storage()
        before = read(every.values())
        moments = self._record()
        wired = wired_again(self.target)
        for name, buffer in every.items():
            buffer.put(before[name])
        self._compare_wiring(plans, wired)
        self._ask(recipe, moments, plans)
        return self.evidence

    def _leave_out(self, why: str) -> None:
        self.evidence.undecided["declared"] = f"{NOT_REPLAYED}: {why}"
        self.evidence.leave_out(f"{NOT_REPLAYED}: {why}; this is no full certificate")

    # -- in this process

    def _record(self) -> list[Moment]:
        """Run several batches, across an epoch's end, as training does; one of every epoch is kept."""
        target, rule, found = self.target, self.target.rule, []
        with ThreadTeam(1) as team:
            player = Player(target, team)
            for epoch, batch in ((0, 0), (0, 1), (0, EPOCH - 1), (1, 0), (1, 1)):
                rule.phase(epoch, batch, 2)
                rule.progress(epoch, batch / EPOCH, 2)
                target.present_batch(batch, epoch)
                state = read(declared(target).values())
                require_finite(f"before batch {batch + 1} of epoch {epoch + 1}", state)
                found.append(Moment(epoch, batch, state, player.play()))
        return found

    def _compare_wiring(self, plans: Plans, wired: Plans) -> None:
        """What the rule lists after several batches is what it listed at first."""
        for phase, steps in wired.items():
            first = plans[phase][len(plans[phase]) - len(steps) :]
            for number, (was, now) in enumerate(zip(first, steps, strict=False), 1):
                if was != now:
                    what = _what_differs(was, now)
                    text = f"step {number} of {phase!r} ({was[0]}): {what} after some batches, and no array holds it"
                    self.evidence.add_finding("declared", text, why="a plan is looked at once")
                    break
            else:
                if len(first) != len(steps):
                    text = f"{phase!r} has {len(steps)} steps after some batches, and had {len(first)}"
                    self.evidence.add_finding("declared", text, why="a plan is looked at once")

    # -- in others

    def _ask(self, recipe: Recipe, moments: list[Moment], plans: Plans) -> None:
        """Start fresh processes, and compare what they say with what was recorded here."""
        asked, names = (1, 3), places()
        mine = digests(names)
        histories = (
            History("fresh process", 0, asked, ahead=400 * DAY, training=True),
            History("process of another history", 1 + secrets.randbelow(2**32), asked[::-1], others=(4, 0), ahead=-DAY),
        )
        bounds = {synapse.name: synapse.bound for synapse in self.target.rule.synapses()}
        until = time.monotonic() + self.seconds
        with tempfile.TemporaryDirectory(prefix="neurosim-replay-") as place:
            files = [Path(place) / f"moment-{number}.npz" for number in range(len(moments))]
            for path, moment in zip(files, moments, strict=True):
                keep_moment(path, moment.state)
            running = []
            for number, history in enumerate(histories):
                folder = Path(place) / str(number)
                folder.mkdir()
                running.append(FreshProcess(recipe, history, folder, files, names * (number == 0), bounds))
            answers = [process.answer(until) for process in running]
        for history, answer in zip(histories, answers, strict=True):
            self._compare(history, answer, moments, plans)
        self._hear(answers)
        self._compare_code(answers[0].bare, mine)
        self.evidence.interventions += len(asked) * len(histories)
        if not self.evidence.undecided and not self.evidence.findings:
            steps = sum(len(moments[number].left) for number in asked)
            self.evidence.add_check(
                "declared",
                f"{len(asked)} batches ({', '.join(str(moments[n]) for n in asked)}), {steps} steps, replayed from their "
                "declared state in 2 fresh processes with other histories, clocks and folders: no bit differs",
            )

    def _compare(self, history: History, answer: Answer, moments: list[Moment], plans: Plans) -> None:
        """One process against what was recorded here."""
        if answer.problem and (not answer.built or answer.late):
            self._leave_out(f"the {history.name} could not answer: {answer.problem}")
            return
        if answer.built and answer.plans != _plain(plans):
            where = next((p for p in plans if answer.plans.get(p) != _plain(plans)[p]), "a phase")
            self.evidence.add_finding(
                "declared",
                f"the {history.name} builds another plan of {where!r} from the same options",
                why=_why(history),
            )
            return
        if answer.problem:
            text = f"the {history.name} fails where this one did not: {answer.problem}"
            self.evidence.add_finding("declared", text, why=_why(history))
        wrong = [
            (n, left) for n in sorted(map(int, answer.left)) if (left := _first(moments[n].left, answer.left[str(n)]))
        ]
        if wrong:
            number, (step, names) = wrong[0]
            self.evidence.add_finding(
                "declared",
                f"{step} leaves {', '.join(names)} otherwise in a {history.name}, from the same declared state "
                f"({moments[number]}): it depends on something that is not declared",
                why=_why(history),
            )

    def _hear(self, answers: list[Answer]) -> None:
        """What somebody else's code asked its process for, of which no array says anything."""
        heard = list(dict.fromkeys((place, what) for answer in answers for place, what in answer.heard))
        for place, what in [each for each in heard if each[0] != BUILT][:MOST]:
            self.evidence.add_finding("declared", f"{place} {what} while it runs: no array declares it", why=LISTENED)
        files = [what for place, what in heard if place == BUILT and what.startswith("reads")]
        if files:
            self.evidence.remarks.append(f"while it is built, the rule {', '.join(files[:MOST])}: not looked into")

    def _compare_bare(self, names: list[str]) -> None:
        """The package's code in memory against that of a process that is started for nothing else."""
        try:
            bare = bare_digests(tuple(names))
        except UndecidedError as problem:
            self.evidence.leave_out(f"the code in memory is not compared with the package's files: {problem.parts[0]}")
        else:
            self._compare_code(bare, digests(names))

    def _compare_code(self, bare: dict[str, str], mine: dict[str, str]) -> None:
        """The package's code in memory against that of a process which imported nothing else."""
        if not bare:
            return
        found = differences(bare, mine)
        if found:
            more = f" and {len(found) - MOST} more" * (len(found) > MOST)
            text = f"not what the package's files say, but replaced in memory: {', '.join(found[:MOST])}{more}"
            self.evidence.add_finding("declared", text, why="names and declarations stay as they were")
        else:
            text = f"{len(bare)} functions, kernels and constants of neurosim and NumPy are in memory as in their files"
            self.evidence.add_check("declared", f"{text} (digest {digest()[:SHOWN]})")


def _first(mine: list[Left], others: list[Any]) -> tuple[str, list[str]] | None:
    """The first step that left something else, and which arrays; None: none did."""
    for (step, arrays), (_, found) in zip(mine, others, strict=False):
        names = [name for name, text in arrays.items() if found.get(name) != text]
        if names:
            return step, names
    return None


def _why(history: History) -> str:
    return f"only a {history.name} shows it: within one process what is hidden is there every time"


def _plain(plans: Plans) -> Plans:
    """Plans as JSON gives them back."""
    return {phase: [[*step] for step in steps] for phase, steps in plans.items()}


def _what_differs(was: list[Any], now: list[Any]) -> str:
    """One step beside another, in words."""
    if was[:2] != now[:2]:
        return f"it is {now[0]} by {now[1]}"
    if was[2] != now[2]:
        return "it has other arrays"
    name = next(n for n in now[3] if was[3].get(n) != now[3][n])
    return f"its scalar {name} is {now[3][name]}, and was {was[3].get(name)},"
