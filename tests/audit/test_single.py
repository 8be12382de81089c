"""One step by itself: a kernel that fails is said by the step's name, whatever it fails with, on any thread."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from own_kernels import own_step

from neurosim.audit.single import SingleStep
from neurosim.core.buffer import Buffer
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import UndecidedError
from neurosim.kernels.devices import backend


def single(function):
    weight = Buffer("W1", ("presynaptic", "postsynaptic"), (2, 3), "forward weight", "W1", np.float32, lasts=True)
    step = own_step("tired", function, "grows tired", "w += 1", updates={"weight": weight})
    return SingleStep(step, "step 3 of 'layer 1' (grows tired)", backend("cpu", "float32")), weight


@pytest.mark.parametrize("aside", [False, True])
@pytest.mark.parametrize(
    "problem", [RuntimeError("tired"), ValueError("tired"), KeyError("tired"), MemoryError("tired")]
)
def test_a_kernel_that_fails_is_undecided_and_the_step_is_named(problem, aside):
    def fails(weight):
        raise problem

    step, _ = single(fails)
    words = rf"^step 3 of 'layer 1' \(grows tired\) fails: {type(problem).__name__}: .*tired.*; correct tired"
    with ThreadTeam(1) as team, ThreadPoolExecutor(1) as other, pytest.raises(UndecidedError, match=words) as found:
        step.run(team, other if aside else None)
    assert found.value.exit_code == 3 and found.value.__cause__ is problem


@pytest.mark.parametrize("aside", [False, True])
def test_a_kernel_that_runs_changes_what_it_declares(aside):
    def grows(weight):
        weight += 1

    step, weight = single(grows)
    weight.array[...] = 2
    with ThreadTeam(1) as team, ThreadPoolExecutor(1) as other:
        step.run(team, other if aside else None)
    assert (weight.array == 3).all()
