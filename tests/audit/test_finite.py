"""Numbers that are not finite never yield a violation, nor its absence: the audit says which, where, and what to do."""

import subprocess
import sys

import numpy as np
import pytest
from own_kernels import own_step

from neurosim.audit import check
from neurosim.audit.finite import require_finite, unfit
from neurosim.audit.graph.graph import Graph
from neurosim.audit.interventions.bench import Bench
from neurosim.audit.interventions.trial import Trial
from neurosim.audit.symmetry.analysis import analyse_symmetry
from neurosim.audit.target import of_rule
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import UndecidedError
from neurosim.plasticity import make
from neurosim.rules import available

TEXT = "4 hardtanh, 4 pool"


@pytest.mark.parametrize("rule", ["urf", "bp", "ll", "rf"])
@pytest.mark.parametrize(("plasticity", "rate"), [("sgd", 1e30), ("signum", 1e30), ("momentum", 1e38)])
def test_a_rate_beyond_all_numbers_is_undecided(build, rule, plasticity, rate):
    built = build(rule, text=TEXT, image=(4, 4, 3), plasticity=plasticity)
    for each in built.plasticities():
        each.base_rate = rate
        each.rate.put(make(plasticity, rate=rate).rate.host())
    with pytest.raises(UndecidedError, match=r"of .* numbers of .* (infinite|NaN).*lower the rate"):
        check(built, light=True)


def test_the_command_exits_with_3_and_names_the_array():
    command = [sys.executable, "-m", "neurosim", "audit", "--rule", "urf", "--network", TEXT, "--rate", "1e30"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 3 and "violated" not in done.stdout + done.stderr
    assert "infinite; expected numbers that are finite; lower the rate" in done.stderr


class Explodes(available()["urf"]):
    """A response of one's own, infinite on activities that do not come."""

    name, most = "explodes", np.inf

    def wire(self, phase):
        def respond(seen):
            seen[...] = np.where(np.abs(seen) > self.most, np.inf, seen)

        seen = self.network.populations[1].activity
        for step in super().wire(phase):
            yield step
            if any(buffer.base is seen for buffer in step.changed.values()):
                yield own_step("respond", respond, "responds", "x = x", updates={"seen": seen})


def test_what_an_intervention_makes_infinite_says_nothing(build):
    target = of_rule(build(Explodes, text=TEXT, image=(4, 4, 3)))
    graph = Graph(target.plans)
    with ThreadTeam(1) as team:
        bench = Bench(target, graph, team)
        run = next(r for r in bench.runs if r.site.step.kernel.name == "respond")
        trial = Trial(bench, run, np.random.default_rng(0))
        seen = np.full_like(trial.given["seen"], np.abs(trial.given["seen"]).max())
        target.rule.most = 1.2 * seen.max()
        assert np.isfinite(trial.run({"seen": 1.1 * seen})["seen"]).all()
        assert np.isinf(trial.run({"seen": 9 * seen})["seen"]).all() and not bench.unfit  # so far out, many overflow
        with pytest.raises(UndecidedError, match=r"responds.*run on other numbers.* infinite"):
            trial.run({"seen": 1.5 * seen})
        assert len(bench.unfit) == 1

        def nine(other):
            if other is not None and other.site.number == run.site.number - 1 and not other.batch:
                run.site.step.updates["seen"].array[...] = 9

        assert bench.replay(nine, held=False) is not None and len(bench.unfit) > 1
        noted = len(bench.unfit)
        bench.replay(nine, held=False, poisoned=True)
        assert len(bench.unfit) == noted
    graph.as_declared()


@pytest.mark.parametrize(("rule", "found"), [("urf", False), ("bp", True)])
def test_what_was_noted_leaves_all_undecided_unless_something_else_was_found(build, monkeypatch, rule, found):
    def symmetry(graph, start, bench, *rest):
        bench.unfit.append("W1 exploded")
        return analyse_symmetry(graph, start, bench, *rest)

    monkeypatch.setattr("neurosim.audit.checks.analyse_symmetry", symmetry)
    built = build(rule, text=TEXT, image=(4, 4, 3))
    if found:
        assert check(built, light=True).violated == ["iii"]
    else:
        with pytest.raises(UndecidedError, match="W1 exploded; expected numbers that are finite"):
            check(built, light=True)


def test_which_numbers():
    few = np.array([1.0, np.inf, -np.inf, np.nan], np.float32)
    assert unfit("here", {"W1": np.ones(3), "n": np.arange(3)}) == ""
    assert (
        unfit("here", {"W1": np.ones(3), "B1": few}) == "here: of 4 numbers of B1, 2 infinite and 1 that are none (NaN)"
    )
    assert unfit("here", {"B1": few[:3]}).endswith("B1, 2 infinite")
    require_finite("here", {"W1": np.ones(3)})
    with pytest.raises(UndecidedError, match="B1"):
        require_finite("here", {"B1": few})
