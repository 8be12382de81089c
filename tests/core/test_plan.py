"""Plans refuse what cannot be run, check that everything is made before it is read, and count what they do."""

import re

import pytest

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.core.plan import Plan
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.errors import ShapeError, WiringError
from neurosim.losses.hinge import Hinge
from neurosim.networks.network import Network
from neurosim.rules import make

COPY = Kernel("copy", reads={"x": "sample unit"}, writes={"y": "sample unit"}, over="sample", flops=lambda n: 5)
ADD = Kernel("add", reads={"x": "sample unit"}, updates={"y": "sample unit"}, over="sample", flops=lambda n: 7)
SUM = Kernel("sum", reads={"x": "sample unit"}, sums={"total": "unit"}, over="sample")
BOTH = Kernel("both", reads={"x": "sample unit"}, writes={"y": "sample unit", "z": "?sample unit"}, over="sample")
INTO = {COPY: "y", ADD: "y", SUM: "total", BOTH: "y"}


def rows(name, size=4, axis="sample", **more):
    return Buffer(name, (axis, "unit"), (size, 3), more.pop("role", "activity"), name, float, **more)


def step(x, y, kernel=COPY, label="a step", **more):
    return Step(kernel, label, "y = x", {"x": x, INTO[kernel]: y, **more}, over="sample")


def plan(*steps, outputs=(), inputs=()):
    return Plan("p", steps, outputs, inputs)


def test_rows_must_be_as_many_in_all_buffers():
    loose = Kernel("loose", reads={"x": "*"}, writes={"y": "*"}, over="sample")
    with pytest.raises(ShapeError, match=r"over sample with sizes \[4, 5\]"):
        Step(loose, "a step", "", {"x": rows("x"), "y": rows("y", 5)}, over="sample")
    Step(loose, "a step", "", {"x": rows("x"), "y": rows("y", 5, "other")}, over="sample")  # not cut there


def test_an_axis_that_no_buffer_has_is_refused():
    with pytest.raises(ShapeError):
        Step(COPY, "a step", "", {"x": rows("x"), "y": rows("y")}, over="moment")


def test_one_buffer_a_name():
    with pytest.raises(WiringError, match="two buffers are named x"):
        plan(step(rows("x"), rows("y")), step(rows("x"), rows("z")))


@pytest.mark.parametrize("kernel", [COPY, ADD])
def test_a_step_never_reads_what_it_changes(kernel):
    x = rows("x", given=True)
    with pytest.raises(WiringError, match="reads and changes x"):
        plan(step(x, x.part("y", 0, 4), kernel))


def test_a_plan_is_frozen_and_lists_memory_once():
    x, y = rows("x", given=True), rows("y")
    z = rows("z", role=Role.MEMORY, lasts=True)
    first, second = step(x.part("x", 0, 4), y), step(y, z, ADD)
    source = [first, second]
    found = Plan("p", iter(source))
    source.clear()
    assert list(found) == [first, second]
    assert len(found) == 2
    assert found.buffers == [x, y, z]
    assert found.flops == 12
    assert found.nbytes == (x.nbytes + y.nbytes) + (y.nbytes + 2 * z.nbytes)
    assert second.changed == {"y": z}
    assert second.buffers == {"x": y, "y": z}
    with pytest.raises(AttributeError):
        first.kernel = ADD
    assert str(found).splitlines() == ["plan 'p': 2 steps", *(f"  {i}  {s}" for i, s in enumerate((first, second), 1))]


# -- def before use


def test_what_is_read_must_have_been_made():
    x, y, z = rows("x", given=True), rows("y"), rows("z")
    with pytest.raises(
        WiringError, match=r"step 1 of plan 'p' \(second\) reads y, of which nothing has made rows 0 to 4"
    ):
        plan(step(y, z, label="second"), step(x, y), outputs=[z])
    with pytest.raises(WiringError, match="reads z"):
        plan(step(x, y), step(y, z, ADD), outputs=[z])  # an update reads what it changes
    plan(step(x, y), step(y, z), outputs=[z])
    plan(step(y, z), outputs=[z], inputs=[y])


@pytest.mark.parametrize("role", list(Role))
def test_no_role_exempts_an_array(role):
    with pytest.raises(WiringError, match="reads y"):
        plan(step(rows("y", role=role), rows("z")), outputs=[])


def test_rows_are_counted():
    x, y, z = rows("x", 2, given=True), rows("y", 6), rows("z", 3)
    first, middle, last = (y.part("y", start, start + 2) for start in (0, 2, 4))
    some = y.part("some", 1, 4)
    with pytest.raises(WiringError, match="nothing has made rows 2 to 4"):
        plan(step(x, first), step(x, last), step(some, z), outputs=[z])
    plan(step(x, middle), step(x, first), step(some, z), outputs=[z])
    with pytest.raises(WiringError, match="makes y, which nothing uses"):  # rows 4 to 6
        plan(step(x, first), step(x, middle), step(x, last), step(some, z), outputs=[z])


def test_first_rows_that_are_missed_are_missed():
    x, y, z = rows("x", 2, given=True), rows("y"), rows("z")
    with pytest.raises(WiringError, match="nothing has made rows 0 to 2"):
        plan(step(x, y.part("late", 2, 4)), step(y, z), outputs=[z])


def test_a_view_that_folds_axes_covers_all_rows():
    folded = Kernel("fold", reads={"x": "number"}, writes={"y": "number"})
    x, y = rows("x"), rows("y")
    fold = Step(folded, "f", "", {"x": x.line(), "y": y.line()})
    with pytest.raises(WiringError, match="nothing has made rows 0 to 4"):
        plan(fold, outputs=[y])
    plan(fold, outputs=[y], inputs=[x])
    with pytest.raises(WiringError, match="rows 2 to 4"):
        plan(fold, outputs=[y], inputs=[x.part("x", 0, 2)])


def test_every_result_is_used():
    x, y, z = rows("x", given=True), rows("y"), rows("z")
    with pytest.raises(WiringError, match=re.escape("step 2 of plan 'p' (lost) makes z, which nothing uses")):
        plan(step(x, y), step(x, z, label="lost"), outputs=[y])
    plan(step(x, y), step(x, z), outputs=[y, z])
    plan(step(x, rows("w", role="memory", lasts=True), ADD))


def test_a_result_that_is_made_anew_before_it_is_read_is_not_used():
    x, y, z = rows("x", given=True), rows("y"), rows("z")
    with pytest.raises(WiringError, match=r"step 1 of plan 'p' \(early\) makes y"):
        plan(step(x, y, label="early"), step(x, y), step(y, z), outputs=[z])
    total = Buffer("t", ("unit",), (3,), "value", "t", float)
    with pytest.raises(WiringError, match=r"step 1 .* makes t"):  # a sum starts from 0
        plan(step(x, total, SUM), step(x, total, SUM), outputs=[total])
    plan(step(x, y), step(x, y, ADD), step(y, z), outputs=[z])


def test_optional_results_need_not_be_used_but_one_result_must():
    x, y, z = rows("x", given=True), rows("y"), rows("z")
    plan(step(x, y, BOTH, z=z), outputs=[y])
    plan(step(x, y, BOTH), outputs=[y])
    with pytest.raises(WiringError, match="makes y, which nothing uses"):
        plan(step(x, y, BOTH, z=z), outputs=[z])
    with pytest.raises(WiringError, match="makes y"):
        plan(step(x, y, BOTH, z=z))


def test_a_step_whose_results_are_all_optional_must_have_one_that_is_used():
    maybe = Kernel("maybe", reads={"x": "sample unit"}, writes={"y": "?sample unit"}, over="sample")
    made = Step(maybe, "maybe", "", {"x": rows("x", given=True), "y": rows("y")}, over="sample")
    with pytest.raises(WiringError, match="makes y, which nothing uses"):
        plan(made)


def test_what_an_update_reads_is_used_even_where_its_result_is_not():
    mixed = Kernel("mix", reads={"x": "sample unit"}, updates={"y": "?sample unit"}, writes={"z": "sample unit"})
    x, y, z = rows("x", given=True), rows("y"), rows("z")
    plan(step(x, y), Step(mixed, "mix", "", {"x": x, "y": y, "z": z}), outputs=[z])


def test_only_what_is_needed():
    x, y, z, w = rows("x", given=True), rows("y"), rows("z"), rows("w")
    steps = [step(x, y), step(x, z), step(y, w), step(x, y), step(y, rows("m", role="memory", lasts=True), ADD)]
    assert list(Plan.needed("p", steps, [w])) == [steps[0], steps[2], steps[3], steps[4]]
    assert list(Plan.needed("p", steps, [])) == [steps[3], steps[4]]


def test_what_lasts_has_a_role_that_can():
    with pytest.raises(WiringError, match="buffer x lasts and has the role activity"):
        rows("x", lasts=True)
    with pytest.raises(WiringError, match="has the role 'weights'"):
        rows("x", role="weights")


# -- whole rules


@pytest.mark.parametrize("name", ["bp", "rf", "urf", "sign", "ll", "dtp"])
@pytest.mark.parametrize("number", range(60))
def test_no_step_can_be_left_out_unnoticed(name, number):
    """A head's gate that is left out, or any other step, is refused when the plan is made."""
    network = Network("3 hardtanh, 4 bias tanh pool, head bias tanh", (4, 4, 2), 3, dtype=float)
    rule = make(name, network, Hinge(lags=3))
    steps, phase = list(rule.wire(rule.phases[0])), rule.phases[0]
    if number >= len(steps):
        return
    given = [network.populations[0].activity]
    Plan("p", steps, rule.outputs(phase), given)  # as it is wired, nothing is missing
    left = steps[:number] + steps[number + 1 :]
    step = steps[number]
    whole = step.kernel.name in ("add_bias", "push") or all(b.lasts for b in step.changed.values())
    # A bias, a memory, a change that lasts; a head's own loss, whose place the error that it received can have.
    if whole or (step.kernel.name == "local_loss" and step.buffers["error"].name == "ez2"):
        return
    with pytest.raises(WiringError, match=r"which nothing uses|nothing has made"):
        Plan("p", left, rule.outputs(phase), given)


def test_flops_of_conv5_by_hand():
    """Additions and multiplications of one end-to-end step on N pairs without the block: three passes, less one."""
    pairs = 2
    network = Network("conv5", (32, 32, 3), pairs, block=False)
    found = make("bp", network, Hinge(lags=None)).plan("all layers")
    places = [32 * 32, 32 * 32, 16 * 16, 16 * 16, 8 * 8]
    fan = [(3, 32), (32, 32), (32, 64), (64, 64), (64, 512)]
    layers = [2 * 9 * p * i * o for p, (i, o) in zip(places, fan, strict=True)] + [2 * 8192 * 64]
    # Forward, feedback, outer product; nothing is sent below layer 1.
    assert found.flops == 2 * pairs * (3 * sum(layers) - layers[0])
