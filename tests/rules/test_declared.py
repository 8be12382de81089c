"""A step touches what it declares and nothing else: everything else is filled with NaN around it."""

import numpy as np
import pytest

from neurosim.core import workspace
from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.losses import make as make_loss
from neurosim.plasticity import make as make_plasticity
from neurosim.plasticity.adam import Adam
from neurosim.plasticity.momentum import Momentum

cpu = Backend("cpu")

WIRINGS = [
    ("dtp", {}),
    ("dtp", {"top": "transport", "inverse_steps": 2}),
    ("bp", {}),
    ("rf", {}),
    ("urf", {}),
    ("sign", {}),
    *(("ll", {"order": "greedy", "feedback": kind}) for kind in ("bp", "rf", "urf", "sign")),
    ("ll", {"order": "simultaneous"}),
]
MARGINS = {"threshold": 1.65, "delta": 0.65}
LOSSES = [("hinge", {"lags": 3, **MARGINS}), ("hinge", {"lags": None, **MARGINS}), ("simclr", {"temperature": 0.5})]
OTHERS = ["hinge-mean", "barlow", "positive"]


def poison(array):
    """NaN in every real number, -1 in every whole one."""
    array.view(np.uint8).fill(0xFF)


class Fence:
    """Every array of a rule; around a step, all but what the step may read is poison."""

    def __init__(self, plans):
        self.bases = list({b.base.name: b.base for plan in plans for b in plan.buffers}.values())

    def around(self, step, run):
        """Run a step between poison; nothing but what it may change has other bits afterwards."""
        kept = {b.name: b.array.copy() for b in self.bases}
        known = [(b, b.array.copy()) for b in (*step.reads.values(), *step.updates.values())]
        for base in self.bases:
            poison(base.array)
        for buffer, values in known:  # views too: the rows of the same memory outside of them stay poison
            buffer.array[...] = values
        before = {b.name: b.array.copy() for b in self.bases}
        workspace.poison()
        run()
        results = [(b, b.array.copy()) for b in step.changed.values()]
        for buffer, _ in results:
            buffer.array[...] = 0
        after = {b.name: b.array for b in self.bases}
        for buffer, _ in results:  # what may change is put aside; all other bits are as they were
            before[buffer.base.name] = self._without(buffer, before[buffer.base.name])
        for name, values in before.items():
            assert after[name].tobytes() == values.tobytes(), (step.label, name)
        for base in self.bases:
            base.array[...] = kept[base.name]
        for buffer, values in results:
            buffer.array[...] = values

    @staticmethod
    def _without(buffer, values):
        """``values`` of a buffer's base with zeros where the buffer lies."""
        whole = buffer.base.array
        now = whole.copy()
        whole[...] = values
        buffer.array[...] = 0
        found = whole.copy()
        whole[...] = now
        return found


def stepwise(rule, show, fenced):
    """Two batches, a step at a time; the bits of every array at the end."""
    plans = [rule.plan(phase) for phase in rule.phases]
    fence = Fence(plans)
    with ThreadTeam(1) as team:
        steps = [(s, Program(Plan.alone("one step", [s]), cpu, hold=True)) for plan in plans for s in plan]
        for batch in range(2):
            show(rule, batch)
            for step, program in steps:
                if fenced:
                    fence.around(step, lambda program=program: program.run(team))
                else:
                    program.run(team)
    return {b.name: b.array.copy() for b in fence.bases}


@pytest.mark.parametrize("block", [True, False], ids=["block", "free"])
@pytest.mark.parametrize("loss", LOSSES, ids=["lags", "all", "simclr"])
@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=["-".join([n, *map(str, o.values())]) for n, o in WIRINGS])
def test_steps_touch_what_they_declare_and_nothing_else(build, show, name, options, loss, block):
    found, wanted = (
        stepwise(
            build(name, loss=make_loss(loss[0], **loss[1]), block=block, plasticity=Adam(0.01), **options),
            show,
            fenced,
        )
        for fenced in (True, False)
    )
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        assert not np.isnan(value).any()
        assert found[key].tobytes() == value.tobytes(), key


@pytest.mark.parametrize("block", [True, False], ids=["block", "free"])
@pytest.mark.parametrize("loss", OTHERS)
def test_other_losses_touch_what_they_declare_and_nothing_else(build, show, loss, block):
    found, wanted = (stepwise(build("bp", loss=make_loss(loss), block=block), show, fenced) for fenced in (True, False))
    assert all(found[key].tobytes() == value.tobytes() for key, value in wanted.items())


@pytest.mark.parametrize("kind", ["sgd", "momentum", "signum"])
def test_plasticities_touch_what_they_declare_and_nothing_else(build, show, kind):
    found, wanted = (
        stepwise(build("urf", plasticity=make_plasticity(kind, rate=0.01, decay=0.1)), show, f) for f in (True, False)
    )
    assert all(found[key].tobytes() == value.tobytes() for key, value in wanted.items())


@pytest.mark.parametrize(("name", "options"), WIRINGS[:4], ids=[n for n, _ in WIRINGS[:4]])
def test_a_plan_step_by_step_is_the_plan(build, show, run, relative_error, name, options):
    """Cutting the plan into segments changes how sums are grouped, and nothing else."""
    plasticity = {"plasticity": Momentum(0.01)}
    one, other = (build(name, **plasticity, **options) for _ in range(2))
    wanted = stepwise(one, show, False)
    for batch in range(2):
        show(other, batch)
        plan = run(other, threads=2)
    for b in plan.buffers:
        assert relative_error(b.array, wanted[b.name]) < 1e-11, b.name


def test_the_fence_sees_a_kernel_that_reads_or_writes_beyond_its_step(build):
    """The fence itself, tried on a thief and on a vandal."""
    rule = build("rf")
    plan = rule.plan("all layers")
    fence = Fence([plan])
    step = next(s for s in plan if s.kernel.name == "dense")
    hidden, out = rule.feedbacks[0].synapse.weight.array, step.writes["potential"].array
    fence.around(step, lambda: np.copyto(out, hidden[0, 0]))
    assert np.isnan(out).all()
    with pytest.raises(AssertionError, match=rule.feedbacks[0].synapse.name):
        fence.around(step, lambda: hidden.fill(1))
