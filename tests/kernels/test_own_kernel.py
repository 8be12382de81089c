"""A kernel of one's own, declared where it is used: it runs in a plan, and a device that it has no form for refuses it."""

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel, Kind
from neurosim.core.plan import Plan
from neurosim.core.step import Step
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import ShapeError, WiringError
from neurosim.parts.population import Population

rectify = Kernel(
    "rectify",
    kind=Kind.RESPOND,
    reads={"potential": "sample ..."},
    writes={"activity": "sample ..."},
    sums={"silent": "?1: float64"},
    scalars=("threshold",),
    over="sample",
    equation="activity = max(potential - threshold, 0); silent += how many are 0",
)


@rectify.reference
def _(potential, activity, silent=None, *, threshold):
    """Unit by unit."""
    for place in np.ndindex(potential.shape):
        activity[place] = max(potential[place] - threshold, 0)
        if silent is not None:
            silent[0] += activity[place] == 0


@rectify.cpu
def _(potential, activity, silent=None, *, threshold):
    np.subtract(potential, potential.dtype.type(threshold), out=activity)
    np.maximum(activity, 0, out=activity)
    if silent is not None:
        silent[0] += np.count_nonzero(activity == 0)


POTENTIAL = np.random.default_rng(0).normal(size=(40, 2, 3, 4))


class Rectified(Population):
    """Units that respond by a kernel of one's own."""

    def respond(self):
        """``x = max(u - 0.5, 0)``."""
        self.silent = Buffer("silent", ("one",), (1,), "value", self.activity.owner, np.float64)
        yield Step(
            rectify,
            "units respond",
            "x = max(u - 0.5, 0)",
            {"potential": self.potential, "activity": self.activity, "silent": self.silent},
            scalars={"threshold": 0.5},
            over="sample",
        )


def responding(dtype=np.float64):
    """A population and a plan in which its units respond."""
    units = Rectified(1, POTENTIAL.shape[1:], len(POTENTIAL), dtype=dtype)
    steps = list(units.respond())
    units.potential.given = True
    return units, Plan("own", steps, [units.activity, units.silent])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("where", ["cpu", "reference"])
def test_it_runs_in_a_plan(where, threads, dtype):
    units, plan = responding(dtype)
    program = Program(plan, Backend(where), hold=True)
    (segment,) = program.segments
    assert segment.lanes > 1  # cut into blocks as any other kernel
    units.potential.array[...] = POTENTIAL
    with ThreadTeam(threads) as team:
        for _ in range(2):  # a sum starts from nothing at every run
            program.run(team)
    wanted = np.clip(POTENTIAL.astype(dtype) - dtype(0.5), 0, None)
    np.testing.assert_allclose(units.activity.array, wanted, rtol=1e-6)
    assert units.silent.array[0] == (wanted == 0).sum() > 0


def test_a_gpu_refuses_it_by_name_when_the_program_is_made(host_machine):
    _, plan = responding()
    words = r"kernel rectify has no form for gpu; expected one of its forms \(reference, cpu\); choose another device"
    with pytest.raises(WiringError, match=words):
        Program(plan, host_machine.gpu())
    assert all(buffer.device is None and buffer._array is None for buffer in plan.buffers)


def test_it_is_checked_like_any_other():
    units, _ = responding()
    given = {"potential": units.potential, "activity": units.activity}
    with pytest.raises(WiringError, match="step 's' does not give threshold to kernel rectify"):
        Step(rectify, "s", "", given)
    with pytest.raises(WiringError, match="step 's' cuts kernel rectify along channel"):
        Step(rectify, "s", "", given, {"threshold": 0.5}, over="channel")
    few = Buffer("few", units.activity.axes, (39, *POTENTIAL.shape[1:]), "activity", "test", np.float64)
    with pytest.raises(ShapeError, match="kernel rectify is given potential 40x2x3x4, activity 39x2x3x4"):
        Step(rectify, "s", "", {**given, "activity": few}, {"threshold": 0.5})
    with pytest.raises(WiringError, match=r"the gpu form of kernel rectify takes \(potential\)"):
        rectify.gpu(lambda gpu, potential: None)
    assert not rectify.has("gpu") and not rectify.builtin


def test_a_plan_refuses_what_nothing_has_made():
    units = Rectified(1, (2, 3, 4), 40, dtype=float)
    with pytest.raises(WiringError, match=r"\(units respond\) reads u1, of which nothing has made rows 0 to 40"):
        Plan("own", units.respond(), [units.activity])
