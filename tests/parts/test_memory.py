"""The short-term memory: a ring without seams."""

import doctest

import numpy as np
import pytest

import neurosim.parts.memory
from neurosim.core.backend import Backend
from neurosim.core.buffer import Buffer
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import ShapeError
from neurosim.parts.memory import ShortTermMemory

cpu, reference = Backend("cpu"), Backend("reference")


def pushed(memory, batches, kernels=cpu):
    """Push batches of moments ``(moment, unit)``, each of a size of its own."""
    for number, batch in enumerate(batches):
        shape = (len(batch), memory.trace.shape[1])
        axes, real = ("sample", "unit"), memory.trace.dtype
        activity = Buffer(f"z{number}", axes, shape, "activity", "z", real, given=True, initial=batch)
        with ThreadTeam(1) as team:
            Program(Plan("push", memory.push(activity)), kernels).run(team)
    return memory


def test_the_example_in_its_documentation():
    result = doctest.testmod(neurosim.parts.memory)
    assert (result.attempted > 0, result.failed) == (True, 0)


@pytest.mark.parametrize("kernels", [cpu, reference], ids=["cpu", "reference"])
@pytest.mark.parametrize("sizes", [[1] * 9, [4, 5], [9], [3, 6], [2, 7], [8, 1]])
@pytest.mark.parametrize("capacity", [1, 4, 5, 9, 20])
def test_batches_of_any_size_wrap_around_like_single_moments(capacity, sizes, kernels):
    stream = np.random.default_rng(0).normal(size=(9, 3))
    memory = pushed(ShortTermMemory("M", capacity, 3, float), np.split(stream, np.cumsum(sizes)[:-1]), kernels)
    single = ShortTermMemory("S", capacity, 3, float)
    for moment in stream:
        single.store(moment)
    assert np.array_equal(memory.trace.array, single.trace.array)
    assert memory.cursor.array.tolist() == single.cursor.array.tolist() == [9]
    for lag in range(min(9, capacity)):
        assert np.array_equal(memory.recall(lag), stream[8 - lag])


@pytest.mark.parametrize(("stored", "capacity", "lag"), [(0, 3, 0), (2, 3, 2), (5, 3, 3), (5, 3, -1)])
def test_what_is_not_stored_cannot_be_recalled(stored, capacity, lag):
    memory = ShortTermMemory("M", capacity, 2)
    for moment in range(stored):
        memory.store([moment, moment])
    with pytest.raises(ShapeError, match=f"lag {lag} of a memory that holds {min(stored, capacity)} moments"):
        memory.recall(lag)


def test_what_is_recalled_is_a_copy():
    memory = ShortTermMemory("M", 2, 2)
    memory.store([1, 2])
    memory.recall(0)[...] = 9
    assert memory.recall(0).tolist() == [1, 2]


def test_there_is_room_for_a_moment():
    with pytest.raises(ShapeError, match="a memory of 0 moments"):
        ShortTermMemory("M", 0, 2)


def test_pushing_declares_the_ring_as_an_update():
    memory = ShortTermMemory("M", 4, 2)
    (step,) = memory.push(Buffer("z", ("sample", "unit"), (3, 2), "activity", "z"))
    assert set(step.updates.values()) == {memory.trace, memory.cursor}
    assert step.over is None
    assert (memory.trace.role, memory.trace.dtype) == ("memory", np.float32)
