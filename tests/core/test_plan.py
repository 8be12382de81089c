"""Steps and plans refuse what cannot be run, and count what they do."""

import pytest

from neurosim.core.buffer import Buffer
from neurosim.core.plan import Plan, Step
from neurosim.errors import ShapeError, WiringError
from neurosim.losses.hinge import Hinge
from neurosim.networks.network import Network
from neurosim.rules import make


def rows(name, size=4, axis="sample"):
    return Buffer(name, (axis, "unit"), (size, 3), "activity", name, float)


def step(reads, writes=None, over="sample", **more):
    return Step("kernel", "a step", "y = x", reads, writes or {}, over=over, **more)


def test_an_argument_has_one_role():
    x = rows("x")
    with pytest.raises(WiringError, match="'a step' declares an argument twice"):
        step({"x": x}, {"x": rows("y")})
    with pytest.raises(WiringError, match="twice"):
        step({"x": x}, scalars={"x": 1})


def test_rows_must_be_as_many_in_all_buffers():
    with pytest.raises(ShapeError, match=r"over sample with sizes \[4, 5\]"):
        step({"x": rows("x")}, {"y": rows("y", 5)})
    step({"x": rows("x")}, {"y": rows("y", 5, "other")})  # an axis of another name is not cut


def test_an_axis_that_no_buffer_has_is_refused():
    with pytest.raises(ShapeError):
        step({"x": rows("x")}, {"y": rows("y")}, over="moment")


def test_one_buffer_a_name():
    with pytest.raises(WiringError, match="two buffers are named x"):
        Plan("p", [step({"x": rows("x")}, {"y": rows("y")}), step({"x": rows("x")}, {"y": rows("z")})])


@pytest.mark.parametrize("kind", ["writes", "updates", "sums"])
def test_a_step_never_reads_what_it_changes(kind):
    x = rows("x")
    with pytest.raises(WiringError, match="reads and changes x"):
        Plan("p", [Step("kernel", "s", "", {"x": x}, **{kind: {"y": x.part("y", 0, 4)}}, over="sample")])
    Plan("p", [Step("kernel", "s", "", {}, updates={"x": x}, over="sample")])


def test_a_plan_is_frozen_and_lists_memory_once():
    x, y, z = rows("x"), rows("y"), rows("z")
    first = step({"x": x.part("x", 0, 4)}, {"y": y}, flops=5)
    second = Step("kernel", "t", "", {"y": y}, updates={"z": z}, over="sample", flops=7)
    source = [first, second]
    plan = Plan("p", iter(source))
    source.clear()
    assert list(plan) == [first, second]
    assert len(plan) == 2
    assert plan.buffers == [x, y, z]
    assert plan.flops == 12
    assert plan.nbytes == (x.nbytes + y.nbytes) + (y.nbytes + 2 * z.nbytes)
    assert second.changed == {"z": z}
    assert second.buffers == {"y": y, "z": z}
    with pytest.raises(AttributeError):
        first.kernel = "other"


def test_flops_of_conv5_by_hand():
    """Additions and multiplications of one end-to-end step on N pairs without the block: three passes, less one."""
    pairs = 2
    network = Network("conv5", (32, 32, 3), pairs, block=False)
    plan = make("bp", network, Hinge(lags=None)).plan("all layers")
    places = [32 * 32, 32 * 32, 16 * 16, 16 * 16, 8 * 8]
    fan = [(3, 32), (32, 32), (32, 64), (64, 64), (64, 512)]
    layers = [2 * 9 * p * i * o for p, (i, o) in zip(places, fan, strict=True)] + [2 * 8192 * 64]
    # Forward, feedback, outer product; nothing is sent below layer 1.
    assert plan.flops == 2 * pairs * (3 * sum(layers) - layers[0])
