"""Changes and factors by kernels of a rule's own: what each number moves with decides, in every batch, whatever it is called."""

import numpy as np
import pytest
from own_kernels import named, own_step

from neurosim.audit import check
from neurosim.audit.evidence import Grade
from neurosim.core.buffer import Buffer
from neurosim.rules.base import Rule
from neurosim.rules.rf import RandomFeedback


def changes(step, name):
    return any(b.base.name == name for b in step.changed.values())


class Unsupervised(Rule):
    """The head learns by a kernel of its own, from its two activities, without any error."""

    name = "unsupervised"

    def __init__(self, network, loss, kernel, reads):
        super().__init__(network, loss)
        self.phases, self.head, self.kernel, self.more = ("head",), network.head(len(network)), kernel, reads

    def wire(self, phase):
        head = self.head
        yield from self.network.propagate()
        yield from head.transmit()
        reads = {"pre": head.pre.active_part.flat(), "post": head.post.active_part} | self.more(self)
        yield own_step("own", self.kernel, "the head learns", "dH", reads, {"change": head.synapse.change})
        yield from head.apply_update()


def weight(rule):
    return {"weight": rule.head.synapse.weight}


def theta(rule):
    sizes = ("unit",), (rule.network.head_units,)
    return {"theta": Buffer("threshold", *sizes, "value", "head", np.float32, given=True, initial=0.3)}


def mask(rule):
    like = rule.head.synapse.weight
    there = np.arange(like.array.size).reshape(like.shape) % 2
    return {"mask": Buffer("mask", like.axes, like.shape, "value", "H3", np.float32, given=True, initial=there)}


def nothing(rule):
    return {}


def rates(rule):
    sizes = ("unit",), (rule.head.synapse.shape[0],)
    return {"rates": Buffer("rates", *sizes, "value", "layer 3", np.float32, given=True, initial=0.5)}


def hebb(pre, post, change):
    change[...] = pre.T @ post


def anti_hebb(pre, post, change):
    change[...] = -0.1 * (pre.T @ post)


def oja(pre, post, weight, change):
    change[...] = pre.T @ post - (post**2).sum(axis=0) * weight


def bcm(pre, post, theta, change):
    change[...] = pre.T @ (post * (post - theta))


def bounded(pre, post, weight, change):
    change[...] = pre.T @ np.tanh(post) * (1 - weight**2)


def gated(pre, post, change):
    change[...] = (pre * (1 / (1 + np.exp(-pre)))).T @ np.log1p(np.exp(post))


def masked(pre, post, mask, change):
    change[...] = (pre.T @ post) * mask


def own_rates(pre, post, rates, change):
    change[...] = pre.T @ post * rates[:, None]


INNOCENT = [
    (hebb, nothing),
    (anti_hebb, nothing),
    (oja, weight),
    (bcm, theta),
    (bounded, weight),
    (gated, nothing),
    (masked, mask),
    (own_rates, rates),
]


@pytest.mark.parametrize(("kernel", "reads"), INNOCENT, ids=[kernel.__name__ for kernel, _ in INNOCENT])
def test_changes_of_a_synapse_s_own_are_local(build, kernel, reads):
    verdict = check(build(Unsupervised, kernel=kernel, reads=reads))
    assert not verdict.findings, verdict.text()
    assert min(a.grade for a in verdict.analyses) is Grade.STRICT


def subspace(pre, post, weight, change):
    change[...] = (pre - post @ weight.T).T @ post


def whitened(pre, post, change):
    change[...] = (pre - pre.mean(axis=1, keepdims=True)).T @ post


def neighbour(pre, post, change):
    change[...] = pre.T @ np.roll(post, 1, axis=1)


def leaning(pre, post, weight, change):
    change[...] = pre.T @ post + 1e-3 * np.roll(weight, 1, axis=0)


def one_synapse(pre, post, change):
    change[...] = pre.T @ post
    change[3, 2] = change[5, 4]


def competing(pre, post, change):
    change[...] = pre.T @ (post * (post == post.max(axis=1, keepdims=True)))


VIOLATING = [
    (subspace, weight),
    (whitened, nothing),
    (neighbour, nothing),
    (leaning, weight),
    (one_synapse, nothing),
    (competing, nothing),
]


@pytest.mark.parametrize(("kernel", "reads"), VIOLATING, ids=[kernel.__name__ for kernel, _ in VIOLATING])
def test_changes_that_know_other_synapses_or_units_are_not(build, kernel, reads):
    verdict = check(build(Unsupervised, kernel=kernel, reads=reads))
    found = [f for f in verdict.findings if f.condition == "i" and f.by == "behaviour"]
    assert any("move" in f.text for f in found), verdict.text()


def over_a_batch(pre, post, change):
    change[...] = pre.T @ (post * (post - (post**2).mean(axis=0)))


def common(pre, post, change):
    change[...] = pre.T @ post * np.abs(post).sum()


@pytest.mark.parametrize(
    ("kernel", "grade"), [(over_a_batch, Grade.OVER_A_BATCH), (common, Grade.BROADCAST_SCALAR)], ids=["batch", "scalar"]
)
def test_statistics_of_a_batch_and_common_factors_lower_the_grade(build, kernel, grade):
    verdict = check(build(Unsupervised, kernel=kernel, reads=nothing))
    assert grade in {g for a in verdict.analyses for g in a.grades}, verdict.text()
    assert not [f for f in verdict.findings if f.condition == "i" and f.by == "behaviour"]


class Gated(RandomFeedback):
    """rf whose factor of layer 2 is worked on by a kernel of its own."""

    name = "gated"

    def __init__(self, network, loss, kernel):
        super().__init__(network, loss)
        self.kernel = kernel

    def wire(self, phase):
        units = self.network.populations[2]
        for step in super().wire(phase):
            yield step
            if named(step, "gate") and changes(step, "d2"):
                reads = {"x": units.active_part}
                yield own_step("own", self.kernel, "own gate", "d", reads, updates={"d": units.post})


def sigmoid(x, d):
    d /= 1 + np.exp(-x)


def soft(x, d):
    d *= np.log(1 + np.exp(x))


def square(x, d):
    d *= 1 - np.tanh(x) ** 2


def affine(x, d):
    d *= 0.5
    d += 0.01


@pytest.mark.parametrize("kernel", [sigmoid, soft, square, affine])
def test_gates_of_a_unit_s_own_are_local_and_simple(build, kernel):
    verdict = check(build(Gated, kernel=kernel))
    assert not verdict.findings, verdict.text()


def beside(x, d):
    d /= 1 + np.exp(-np.roll(x, 1, axis=-1))


def divisive(x, d):
    d /= 1 + np.abs(x).sum(axis=-1, keepdims=True)


def normed(x, d):
    d /= np.sqrt((d**2).sum(axis=(1, 2, 3), keepdims=True)) + 1e-3


def inverse(x, d):
    d *= (np.abs(x) + 1e-6) ** -1.0


def power(x, d):
    d *= np.power(np.abs(x) + 1e-6, -1)


def reciprocal(x, d):
    d *= np.reciprocal(np.abs(x) + 1e-6)


def exponent(x, d):
    d *= np.exp(-np.log(np.abs(x) + 1e-6))


def rows(x, d):
    d += np.roll(x, 1, axis=0)


BAD_GATES = {
    beside: "i",
    divisive: "i ii",
    normed: "ii",
    inverse: "ii",
    power: "ii",
    reciprocal: "ii",
    exponent: "ii",
    rows: "i",
}


@pytest.mark.parametrize("kernel", BAD_GATES, ids=[kernel.__name__ for kernel in BAD_GATES])
def test_gates_that_know_others_or_divide_are_not(build, kernel):
    verdict = check(build(Gated, kernel=kernel))
    assert set(BAD_GATES[kernel].split()) <= set(verdict.violated), verdict.text()


class Paid(RandomFeedback):
    """rf whose rate is that of the last batch's loss: by a step of its own."""

    name = "paid"

    def wire(self, phase):
        yield from super().wire(phase)
        rate = self.network.plasticity.rate

        def kernel(value, rate):
            rate[0] = 1e-4 * value[0]

        reads = {"value": self.error.value}
        yield own_step("pay", kernel, "the rate follows the loss", "rate", reads, {"rate": rate})


def test_a_rate_that_moves_with_the_loss_is_a_broadcast_scalar(build, unchecked):
    grades = {g: text for a in check(build(Paid)).analyses for g, text in a.grades.items()}
    assert any("rate" in line for line in grades[Grade.BROADCAST_SCALAR]), grades


class Late(RandomFeedback):
    """rf whose head learns by its neighbours' errors from the second batch on: the count is a declared memory."""

    name = "late"

    def wire(self, phase):
        count = Buffer("count", ("one",), (1,), "memory", "late", np.int64, lasts=True)

        def kernel(count, error):
            if count[0] >= 1:
                error += np.roll(error, 1, axis=1)
            count[0] += 1

        for step in super().wire(phase):
            yield step
            if changes(step, "ez3"):
                error = self.network.head(len(self.network)).post.error
                yield own_step("late", kernel, "late", "e", updates={"count": count, "error": error})


def test_a_rule_that_behaves_in_its_first_batch(build):
    verdict = check(build(Late))
    assert "i" in verdict.violated, verdict.text()


class Other(RandomFeedback):
    """rf whose layer 1 is pushed by what layer 2 does, though no feedback delivers it."""

    name = "other"

    def wire(self, phase):
        one, two = self.network.populations[1:3]
        for step in super().wire(phase):
            yield step
            if named(step, "gate") and changes(step, "d1"):
                reads = {"x": two.active_part}
                yield own_step("push", lambda x, d: np.add(d, x, out=d), "pushed", "d", reads, updates={"d": one.post})


def test_an_activity_of_another_layer_in_a_factor(build):
    verdict = check(build(Other))
    assert verdict.violated == ["i"] and any("x2 is of other units" in f.text for f in verdict.findings), verdict.text()
