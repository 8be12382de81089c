"""Buffers: declared first, allocated once; views share their memory."""

import numpy as np
import pytest

from neurosim.core.buffer import Buffer
from neurosim.errors import ShapeError, WiringError


def declare(shape=(4, 2, 3), axes=("sample", "row", "unit"), role="activity", **more):
    return Buffer("x1", axes[: len(shape)], shape, role, "layer 1", **more)


def test_allocated_once_and_zero_at_first():
    buffer = declare()
    assert buffer.array is buffer.array
    assert buffer.array.dtype == np.float32
    assert not buffer.array.any()


def test_initial_values_are_copied_in():
    values = np.arange(4.0)
    buffer = declare((4,), ("unit",), initial=values, dtype=float)
    buffer.array[0] = 7
    assert buffer.array.tolist() == [7, 1, 2, 3]
    assert values[0] == 0


def test_sizes_are_known_before_the_array_is():
    buffer = declare(dtype=np.float64)
    assert buffer.nbytes == 4 * 2 * 3 * 8
    assert repr(buffer) == "x1 (activity, 4 sample x 2 row x 3 unit, float64)"
    assert buffer.base is buffer


def test_a_part_is_rows_of_the_same_memory():
    buffer = declare()
    part = buffer.part("z", 1, 3, "moment")
    assert (part.name, part.axes, part.shape) == ("z", ("moment", "row", "unit"), (2, 2, 3))
    assert (part.role, part.owner, part.dtype, part.base) == (buffer.role, buffer.owner, buffer.dtype, buffer)
    part.array[...] = 5
    assert buffer.array[:, 0, 0].tolist() == [0, 5, 5, 0]
    assert np.shares_memory(part.array, buffer.array)


def test_flat_and_line_fold_axes_of_the_same_memory():
    buffer = declare()
    part = buffer.part("tail", 2, 4).flat()
    assert (part.axes, part.shape) == (("sample", "presynaptic"), (2, 6))
    part.array[0, 5] = 9
    assert buffer.array[2, 1, 2] == 9
    line = buffer.line()
    assert (line.axes, line.shape, line.base) == (("synapse",), (24,), buffer)
    line.array[0] = 3
    assert buffer.array[0, 0, 0] == 3


def test_a_part_of_a_part_counts_from_the_part():
    buffer = declare((6,), ("unit",))
    buffer.array[...] = range(6)
    assert buffer.part("a", 2, 6).part("b", 1, 3).array.tolist() == [3, 4]
    assert buffer.part("a", 2, 6).part("b", 1, 3).base is buffer
    assert buffer.part("a", 2, 6).part("b", 1, 3).rows == range(3, 5)


@pytest.mark.parametrize(("start", "stop"), [(3, 5), (-1, 2), (2, 2), (3, 2)])
def test_rows_that_are_not_there_are_refused(start, stop):
    with pytest.raises(ShapeError, match="expected"):
        declare().part("z", start, stop)


@pytest.mark.parametrize("shape", [(4, 0, 3), (4, -1, 3)])
def test_empty_sizes_are_refused(shape):
    with pytest.raises(ShapeError, match="x1"):
        declare(shape)


def test_one_size_an_axis():
    with pytest.raises(ShapeError, match="one size of at least 1 an axis"):
        Buffer("x1", ("sample",), (2, 3), "activity", "layer 1")


def test_roles_are_from_the_list():
    with pytest.raises(WiringError, match="buffer x1 has the role 'weights'; expected one of image, activity"):
        declare(role="weights")
