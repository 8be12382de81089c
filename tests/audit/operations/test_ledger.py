"""The ledger names what error units do, with its line; nothing hidden in a kernel gets past it."""

import functools
import math
import operator
import statistics
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
import scipy.spatial.distance
from own_kernels import altered_step, named

from neurosim.audit.graph.kinds import callable_of, reference_of
from neurosim.audit.operations import categories as C
from neurosim.audit.operations.judgement import place_of
from neurosim.audit.operations.ledger import ledger, readout_ledger
from neurosim.core.kernel import Kernel
from neurosim.core.step import Step
from neurosim.errors import WiringError
from neurosim.kernels.devices import backend
from neurosim.kernels.workspace import thread_local
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.plasticity import make as make_plasticity
from neurosim.rules import make

FORMS = {"cpu": lambda step: callable_of(step, backend("cpu")), "reference": reference_of}


def steps(rule="urf", loss="hinge", plasticity="signum", pairs=4, text="3 hardtanh, 4 pool", block=True, **options):
    network = Network(text, (4, 4, 2), pairs, head_units=5, plasticity=make_plasticity(plasticity), block=block)
    return list(make(rule, network, make_loss(loss, **options)).plan("all layers"))


def compare(loss="positive", **options):
    """The step at the error units."""
    return next(s for s in steps("rf", loss, **options) if place_of(s) == "error units")


def kinds(operations):
    return {operation.kind for operation in operations}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize(("loss", "options"), [("hinge", {"lags": 5}), ("hinge", {"lags": None}), ("positive", {})])
def test_the_plausible_errors_are_simple_arithmetic(form, block, loss, options):
    step = compare(loss, block=block, **options)
    found = ledger(step, FORMS[form](step))
    assert (found.verdict, found.forbidden, found.assumed, found.undecided) == ("simple", [], [], [])
    assert found.place == "error units"
    assert set(found.counts) <= C.SIMPLE
    assert C.SUBTRACT in found.counts and {C.SIGN, C.COMPARE} & set(found.counts)


@pytest.mark.parametrize("form", FORMS)
def test_hinge_mean_is_let_pass_with_its_count_named(form):
    step = compare("hinge-mean")
    found = ledger(step, FORMS[form](step))
    assert (found.forbidden, found.undecided) == ([], [])
    assert kinds(found.assumed) <= {C.BY_COUNT, C.TIMES_COUNT}
    assert found.assumed
    if form == "cpu":
        assert any("max(1, len(active))" in o.text and o.kind == C.BY_COUNT for o in found.assumed)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("loss", "wanted"),
    [("simclr", {C.DIVIDE, C.ROOT, C.EXP, C.PRODUCT, C.INNER}), ("barlow", {C.DIVIDE, C.ROOT, C.VARIANCE, C.PRODUCT})],
)
def test_the_implausible_errors_are_forbidden_by_name(form, loss, wanted):
    step = compare(loss)
    found = ledger(step, FORMS[form](step))
    assert found.verdict == "violated"
    assert wanted <= kinds(found.forbidden)
    assert {o.file.rsplit("/", 1)[-1] for o in found.forbidden} <= {"nt_xent.py", "barlow.py"}
    for operation in found.forbidden:
        assert operation.text in Path(operation.file).read_text()
        assert str(operation.line) in str(operation)


def test_what_only_the_reported_loss_needs_is_told_apart():
    found = ledger(compare("hinge", lags=5))
    assert found.reported[C.ADD] > 0


@pytest.mark.parametrize("rule", ["bp", "rf", "urf", "sign", "ll"])
@pytest.mark.parametrize("plasticity", ["sgd", "momentum", "signum", "adam"])
def test_every_step_of_every_rule_has_a_ledger(rule, plasticity):
    for step in steps(rule, plasticity=plasticity, text="3 hardtanh, 4 pool, 3 tanh"):
        found = ledger(step)
        assert (found.forbidden, found.undecided) == ([], []), step.label
        if plasticity == "adam" and named(step, "adam"):
            assert kinds(found.assumed) == {C.DIVIDE, C.ROOT, C.SQUARE}
        elif found.place == "gate":
            assert kinds(found.assumed) <= {C.SLOPE, C.SQUARE}
        else:
            assert found.assumed == []


def test_places_are_told_by_roles():
    assert {step.kernel.name: place_of(step) for step in steps("sign")} == {
        "convolve": "response",
        "activate": "response",
        "pool": "response",
        "dense": "response",
        "push": "memory",
        "hinge_lags": "error units",
        "hebbian_dense": "hebbian",
        "send_sign": "feedback",
        "deliver_dense": "feedback",
        "gate_pooled": "gate",
        "gate": "gate",
        "hebbian_convolution": "hebbian",
        "deliver_convolution": "feedback",
        "signum": "plasticity",
    }


def test_buffers_are_not_touched():
    step = compare("hinge", lags=5)
    before = {name: b.array.copy() for name, b in step.buffers.items()}
    ledger(step)
    assert all(np.array_equal(before[name], b.array) for name, b in step.buffers.items())


def test_the_same_step_gives_the_same_ledger():
    first, second = ledger(compare("simclr")), ledger(compare("simclr"))
    assert first == second


def test_a_kernel_without_a_form_for_the_cpu_is_named():
    step = Step(Kernel("nothing"), "a step", "?", {})
    with pytest.raises(WiringError, match="kernel nothing has no form for cpu"):
        ledger(step)


def test_the_read_out_is_counted_and_not_judged():
    found = readout_ledger()
    assert {C.EXP, C.LOG, C.INNER} <= set(found.counts)
    assert (found.forbidden, found.undecided) == ([], [])
    assert kinds(found.assumed) >= {C.EXP, C.LOG}


# Operations hidden in the kernel of error units: (view1, view2, error2, value, error1) each ----------------------------


def normalised(view1, view2, error2, value, error1=None):
    apart = view2 - view1
    np.divide(apart, np.abs(apart).max(), out=error2)


def divided_in_place(view1, view2, error2, value, error1=None):
    np.subtract(view2, view1, out=error2)
    error2 /= view1


def divided_in_scratch(view1, view2, error2, value, error1=None):
    inside = thread_local("inside", view1.shape, view1.dtype)
    np.true_divide(view1, view2, out=inside)
    np.sign(inside, out=error2)


def product(view1, view2, error2, value, error1=None):
    error2[...] = np.sign(view2 - view1) * view2


def product_by_operator(view1, view2, error2, value, error1=None):
    np.copyto(error2, operator.mul(view1, view2))


def product_by_reduction(view1, view2, error2, value, error1=None):
    error2[...] = np.multiply.reduce(np.stack([view1, view2]))


def product_by_fold(view1, view2, error2, value, error1=None):
    error2[:] = functools.reduce(operator.mul, [view1, view2])


def product_by_power(view1, view2, error2, value, error1=None):
    error2[...] = view2**2 - view1


def product_by_logarithm(view1, view2, error2, value, error1=None):
    error2[...] = np.exp(np.log(np.abs(view1)) + np.log(np.abs(view2)))


def product_at(view1, view2, error2, value, error1=None):
    error2[...] = view1
    np.multiply.at(error2, (slice(None), 0), view2[:, 0])


def product_by_copysign(view1, view2, error2, value, error1=None):
    np.copysign(view1, view2, out=error2)


def product_by_floats(view1, view2, error2, value, error1=None):
    for i, u in np.ndindex(view1.shape):
        error2[i, u] = float(view1[i, u]) * float(view2[i, u])


def product_by_items(view1, view2, error2, value, error1=None):
    for i, u in np.ndindex(view1.shape):
        error2[i, u] = view1[i, u].item() * view2.item(i, u)


def product_by_lists(view1, view2, error2, value, error1=None):
    error2[...] = [
        [a * b for a, b in zip(*rows, strict=True)] for rows in zip(view1.tolist(), view2.tolist(), strict=True)
    ]


def product_by_plain_arrays(view1, view2, error2, value, error1=None):
    a, b = np.asarray(view1), np.array(view2, dtype=float)
    error2[...] = a * b


def product_in_new_array(view1, view2, error2, value, error1=None):
    room = np.zeros(view1.shape)
    room += view1
    room *= view2
    np.copyto(error2, room)


def _help(a, b):
    return (lambda x: x * b)(a)


def product_in_a_helper(view1, view2, error2, value, error1=None):
    error2[...] = _help(view1, view2)


def product_in_a_default(view1, view2, error2, value, error1=None, times=np.multiply):
    times(view1, view2, out=error2)


def product_that_branches(view1, view2, error2, value, error1=None):
    error2[...] = 1 if (view1 * view2).sum() > 0 else -1


def product_that_chooses(view1, view2, error2, value, error1=None):
    error2[...] = np.where(view1 * view2 > 0, 1, -1)


def inner(view1, view2, error2, value, error1=None):
    error2[...] = (view1 @ view2.T)[:, :1]


def inner_by_einsum(view1, view2, error2, value, error1=None):
    error2[...] = np.einsum("nd,nd->n", view1, view2)[:, None]


def inner_by_method(view1, view2, error2, value, error1=None):
    error2[...] = view1.dot(view2.T).sum()


def inner_by_outer(view1, view2, error2, value, error1=None):
    error2[...] = np.multiply.outer(view1[0], view2[0])[0]


def norm(view1, view2, error2, value, error1=None):
    error2[...] = view2 - np.linalg.norm(view1, axis=1, keepdims=True)


def root_by_math(view1, view2, error2, value, error1=None):
    error2[...] = view2 - sqrt(abs(view1[0, 0]))


def root_by_import(view1, view2, error2, value, error1=None):
    from math import hypot

    error2[...] = view2 - hypot(view1[0, 0], view1[0, 1])


def root_by_module(view1, view2, error2, value, error1=None):
    error2[...] = view2 - math.sqrt(float(np.abs(view1[0, 0])))


def spread(view1, view2, error2, value, error1=None):
    error2[...] = view2 - view1.std(axis=0)


def curved(view1, view2, error2, value, error1=None):
    np.tanh(view2 - view1, out=error2)


def look_up(view1, view2, error2, value, error1=None):
    table = np.arange(100.0) ** 2
    error2[...] = table[np.abs(view2 - view1).astype(int) % 100]


class Lab:
    """A kernel that is a method."""

    def multiply(self, view1, view2, error2, value, error1=None):
        error2[...] = view1 * view2


def _scaled(times, view1, view2, error2, value, error1=None):
    error2[...] = times(view1, view2)


def by_another_kernel(view1, view2, error2, value, error1=None):
    from neurosim.kernels.dense import cpu

    room = np.zeros((view1.shape[1], view2.shape[1]))
    cpu.hebbian_dense(view1, view2, room)
    error2[...] = room[0]


def _twice(kernel):
    @functools.wraps(kernel)
    def wrapped(*arguments, **named):
        kernel(*arguments, **named)
        kernel(*arguments, **named)

    return wrapped


@_twice
def decorated(view1, view2, error2, value, error1=None):
    error2[...] = np.einsum("nd,nd->nd", view1, view2)


EDGES = np.linspace(-4, 4, 100)


def product_in_steps(view1, view2, error2, value, error1=None):
    error2[...] = EDGES[np.searchsorted(EDGES, view1) % 100] * view2


def product_in_steps_by_take(view1, view2, error2, value, error1=None):
    error2[...] = np.take(np.linspace(-4, 4, 100), np.digitize(view1, EDGES) % 100) * view2


def product_of_numbers_of_steps(view1, view2, error2, value, error1=None):
    error2[...] = np.searchsorted(EDGES, view1) * view2


def product_of_choices(view1, view2, error2, value, error1=None):
    error2[...] = np.where(view1 > 1, 1.0, np.where(view1 > 0.5, 0.6, 0.3)) * view2


HIDDEN = [
    (product_in_steps, C.OTHER_PRODUCT),
    (product_in_steps_by_take, C.OTHER_PRODUCT),
    (product_of_numbers_of_steps, C.LOOK_UP),
    (product_of_choices, C.LOOK_UP),
    (Lab().multiply, C.PRODUCT),
    (by_another_kernel, C.INNER),
    (decorated, C.INNER),
    (normalised, C.DIVIDE),
    (divided_in_place, C.DIVIDE),
    (divided_in_scratch, C.DIVIDE),
    (product, C.PRODUCT),
    (product_by_operator, C.PRODUCT),
    (product_by_reduction, C.PRODUCT),
    (product_by_fold, C.PRODUCT),
    (product_by_power, C.PRODUCT),
    (product_by_logarithm, C.EXP),
    (product_at, C.PRODUCT),
    (product_by_copysign, C.PRODUCT),
    (product_by_floats, C.PRODUCT),
    (product_by_items, C.PRODUCT),
    (product_by_lists, C.PRODUCT),
    (product_by_plain_arrays, C.PRODUCT),
    (product_in_new_array, C.PRODUCT),
    (product_in_a_helper, C.PRODUCT),
    (product_in_a_default, C.PRODUCT),
    (product_that_branches, C.PRODUCT),
    (product_that_chooses, C.PRODUCT),
    (inner, C.INNER),
    (inner_by_einsum, C.INNER),
    (inner_by_method, C.INNER),
    (inner_by_outer, C.PRODUCT),
    (norm, C.NORM),
    (root_by_math, C.ROOT),
    (root_by_import, C.ROOT),
    (root_by_module, C.ROOT),
    (spread, C.VARIANCE),
    (curved, C.CURVED),
    (look_up, C.LOOK_UP),
]


@pytest.mark.parametrize(("mutant", "kind"), HIDDEN, ids=[mutant.__name__ for mutant, _ in HIDDEN])
def test_a_hidden_operation_is_named_with_its_line(mutant, kind):
    found = ledger(compare(), mutant)
    assert found.verdict == "violated", found
    named = [operation for operation in found.forbidden if operation.kind == kind]
    assert named, found
    first = mutant.__code__.co_firstlineno if hasattr(mutant, "__code__") else 0
    if first and mutant not in (product_in_a_helper, decorated, by_another_kernel):
        assert all(first < o.line < first + 8 and o.file == __file__ for o in named)
    assert not [o for o in found.undecided if o.kind != C.ESCAPE]


def test_a_partial_kernel_is_followed():
    found = ledger(compare(), functools.partial(_scaled, np.multiply))
    assert kinds(found.forbidden) == {C.PRODUCT}


# Ways out of the recording: nothing is decided, and the line is named ---------------------------------------------------


def by_statistics(view1, view2, error2, value, error1=None):
    error2[...] = view2 - statistics.fmean(view1[0])


def by_compiled_code(view1, view2, error2, value, error1=None):
    error2[...] = scipy.spatial.distance.cdist(view1, view2)[:, :1]


def by_vectorize(view1, view2, error2, value, error1=None):
    error2[...] = np.vectorize(lambda a, b: a * b)(view1, view2)


def by_iterator(view1, view2, error2, value, error1=None):
    error2[...] = np.fromiter((float.__mul__(1.0, x.__float__()) for x in view1[0]), float)


def by_type(view1, view2, error2, value, error1=None):
    error2[...] = np.float64(view1[0, 0]) * np.float64(view2[0, 0])


def by_memory(view1, view2, error2, value, error1=None):
    error2[...] = np.frombuffer(view1.data)


def by_pointer(view1, view2, error2, value, error1=None):
    error2[...] = view1.ctypes.data


def by_text(view1, view2, error2, value, error1=None):
    error2[...] = float(str(view1[0, 0])) * 2


def by_interpolation(view1, view2, error2, value, error1=None):
    error2[...] = np.polynomial.polynomial.polyval(view1, [0.0, 0.0, 1.0])


def by_an_index(view1, view2, error2, value, error1=None):
    error2[...] = view2 - range(1000)[operator.index(view1.astype(int)[0, 0] % 7)]


class DeviceProgram:
    """A kernel that is no function: its code cannot be copied."""

    def __call__(self, view1, view2, error2, value, error1=None):
        room = np.zeros(view1.shape)
        np.subtract(view1, view2, out=room)
        error2[...] = room * room


OUT = [
    by_statistics,
    by_compiled_code,
    by_vectorize,
    by_iterator,
    by_type,
    by_memory,
    by_pointer,
    by_text,
    by_interpolation,
    by_an_index,
    DeviceProgram(),
]


@pytest.mark.parametrize("mutant", OUT, ids=[getattr(m, "__name__", "callable") for m in OUT])
def test_what_leaves_the_recording_is_never_called_simple(mutant):
    found = ledger(compare(), mutant)
    assert found.verdict in ("undecided", "violated")
    if found.verdict == "undecided":
        assert kinds(found.undecided) <= {C.ESCAPE, C.FAILURE, C.UNKNOWN}
        assert all(o.line for o in found.undecided)


# Counts, and what may be done with them ---------------------------------------------------------------------------------


def mean_of_active(view1, view2, error2, value, error1=None):
    apart = view2 - view1
    active = np.flatnonzero(np.abs(apart).sum(axis=1) > 1)
    error2[active] = np.sign(apart[active]) / len(active)


def counted_by_branches(view1, view2, error2, value, error1=None):
    apart, active = view2 - view1, 1
    for distance in np.abs(apart).sum(axis=1):
        if distance > 1:
            active += 1
    error2[...] = np.sign(apart) * (1 / active)


@pytest.mark.parametrize("mutant", [mean_of_active, counted_by_branches])
def test_a_division_by_a_count_remains_assumed(mutant):
    found = ledger(compare(pairs=9), mutant)
    assert found.verdict == "simple"
    assert kinds(found.assumed) <= {C.BY_COUNT, C.TIMES_COUNT}
    assert found.assumed


def loss_by_any_means(view1, view2, error2, value, error1=None):
    apart = view2 - view1
    np.sign(apart, out=error2)
    value[0] += np.sqrt((apart * apart).sum()) / np.linalg.norm(view1)


def test_the_reported_loss_may_be_worked_out_in_any_way():
    found = ledger(compare(), loss_by_any_means)
    assert found.verdict == "simple"
    assert {C.ROOT, C.DIVIDE, C.PRODUCT, C.NORM} <= set(found.reported)


def error_by_the_loss(view1, view2, error2, value, error1=None):
    loss_by_any_means(view1, view2, error2, value)
    error2 -= value[0]


def test_a_loss_that_comes_back_into_the_error_is_judged():
    assert ledger(compare(), error_by_the_loss).verdict == "violated"


def slow_but_simple(view1, view2, error2, value, error1=None):
    for i in range(len(view1)):
        if np.abs(view2[i] - view1[i]).sum() > 1:
            error2[i] = np.where(view2[i] > view1[i], 0.25, -0.25) + np.maximum(view1[i], view2[i]) / 4
        else:
            error2[i] = 0
    error1[...] = -error2


def test_other_simple_arithmetic_raises_no_alarm():
    found = ledger(compare(block=False), slow_but_simple)
    assert (found.verdict, found.assumed) == ("simple", [])


# Plasticity and outer products ------------------------------------------------------------------------------------------


def normalised_weights(change, weight, rate, *, decay):
    weight -= rate[0] * change
    weight /= np.sqrt((weight * weight).sum())


def multiplied_weights(change, weight, rate, *, decay):
    weight -= rate[0] * change * weight


def shared_weights(change, weight, rate, *, decay):
    weight -= rate[0] * (change - change.mean())


@pytest.mark.parametrize(
    ("mutant", "kind"),
    [(normalised_weights, C.ACROSS), (multiplied_weights, C.OTHER_PRODUCT), (shared_weights, C.ACROSS)],
)
def test_plasticity_that_is_not_its_own_synapse_s(mutant, kind):
    step = next(s for s in steps(plasticity="sgd") if named(s, "sgd"))
    found = ledger(step, mutant)
    assert found.verdict == "violated"
    assert kind in kinds(found.forbidden)


def divided_outer(pre, post, change):
    change[...] = pre.T @ post / np.abs(pre).sum()


def pre_with_itself(pre, post, change):
    change[...] = (pre.T @ pre)[:, :1] + post.sum(axis=0)


def three_factors(pre, post, change):
    change[...] = pre.T @ (post * post)


@pytest.mark.parametrize(
    ("mutant", "kind"), [(divided_outer, C.DIVIDE), (pre_with_itself, C.INNER), (three_factors, C.PRODUCT)]
)
def test_only_presynaptic_times_postsynaptic_is_an_outer_product(mutant, kind):
    step = next(s for s in steps() if named(s, "hebbian_dense"))
    found = ledger(step, mutant)
    assert kind in kinds(found.forbidden)


# Gates ------------------------------------------------------------------------------------------------------------------


def soft_gate(activity, error, post, *, nonlinearity):
    """The slope of a rectifier: an error passes where the unit is active."""
    np.multiply(error, np.maximum(activity, 0) > 0, out=post)


def tanh_gate(activity, error, post, *, nonlinearity):
    post[...] = error * (1 - activity**2)


def multiplying_gate(activity, error, post, *, nonlinearity):
    post[...] = error * activity


def slow_multiplying_gate(activity, error, post, *, nonlinearity):
    for index in np.ndindex(activity.shape):
        post[index] = error[index] * activity[index]


def dividing_gate(activity, error, post, *, nonlinearity):
    post[...] = error / np.linalg.norm(error)


@pytest.mark.parametrize("text", ["3 hardtanh, 4 pool", "3 tanh, 4 pool"])
@pytest.mark.parametrize(
    ("mutant", "verdict"),
    [
        (soft_gate, "simple"),
        (tanh_gate, "simple"),
        (multiplying_gate, "violated"),
        (slow_multiplying_gate, "violated"),
        (dividing_gate, "violated"),
    ],
)
def test_a_gate_may_multiply_by_a_slope_and_by_nothing_else(mutant, verdict, text):
    step = next(s for s in steps(text=text) if named(s, "gate"))
    assert ledger(step, mutant).verdict == verdict


def test_a_step_may_bring_its_own_kernel():
    step = altered_step(compare(), product)
    assert kinds(ledger(step).forbidden) == {C.PRODUCT}


@pytest.mark.parametrize("options", [{}, {"top": "transport"}])
@pytest.mark.parametrize("loss", ["hinge", "hinge-mean"])
def test_target_propagation_is_simple_where_its_errors_are_made(options, loss):
    built = make("dtp", Network("3 hardtanh, 4 pool, 5 tanh", (8, 8, 2), 4, head_units=5), make_loss(loss), **options)
    for step in built.plan(built.phases[0]):
        found = ledger(step)
        assert found.verdict == "simple", (step.label, found)
