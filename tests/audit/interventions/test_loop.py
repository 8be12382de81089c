"""What a rule does between its steps: each way to carry something there is found, by the name of what is carried."""

import numpy as np
import pytest
from own_kernels import altered_step, named, own_step

from neurosim.audit import check
from neurosim.core.buffer import Buffer
from neurosim.parts.synapse import Synapse
from neurosim.rules.dtp import DifferenceTargetPropagation
from neurosim.rules.rf import RandomFeedback
from neurosim.rules.urf import UpdatedRandomFeedback as Updated


def weight(rule, name):
    return next(s.weight for s in rule.synapses() if s.name == name)


def copied(rule):
    weight(rule, "B3").array[...] = weight(rule, "W3").array


class CopiedInDraw(RandomFeedback):
    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        copied(self)


class CopiedLate(RandomFeedback):
    """Not before the fourth epoch."""

    def draw(self, epoch, batch):
        if epoch == 3 and batch == 7:
            copied(self)


class CopiedInPhase(RandomFeedback):
    def phase(self, epoch, batch, asked):
        if epoch:
            copied(self)
        return super().phase(epoch, batch, asked)


class CopiedInProgress(Updated):
    def progress(self, epoch, part, asked):
        weight(self, "B3").array[...] *= 0.5
        weight(self, "B3").array[...] += 0.5 * weight(self, "W3").array
        return super().progress(epoch, part, asked)


class CopiedInPlasticities(RandomFeedback):
    def plasticities(self):
        copied(self)
        return super().plasticities()


class CopiedInFigures(RandomFeedback):
    def figures(self):
        if getattr(self, "ready", False):
            copied(self)
        self.ready = True
        return {}


class CopiedInWiring(RandomFeedback):
    """Whenever the plan is listed again: at a checkpoint, at a new layer in greedy order."""

    def wire(self, phase):
        self.times = getattr(self, "times", 0) + 1
        if self.times > 3:
            copied(self)
        yield from super().wire(phase)


CARRIED = [
    (CopiedInDraw, "W3 reaches B3 in draw()"),
    (CopiedInPhase, "W3 reaches B3 in phase() and plasticities()"),
    (CopiedInProgress, "W3 reaches B3 in phase() and plasticities()"),
    (CopiedInPlasticities, "W3 reaches B3 in phase() and plasticities()"),
    (CopiedInFigures, "W3 reaches B3 in figures()"),
    (CopiedLate, "W3 reaches B3 in draw()"),
]


@pytest.mark.parametrize(("rule", "text"), CARRIED, ids=[rule.__name__ for rule, _ in CARRIED])
def test_a_copy_between_steps_is_named(build, rule, text):
    verdict = check(build(rule))
    found = {f.condition: f.text for f in verdict.findings if f.by == "behaviour" and "between" in " ".join(f.path)}
    assert found.get("iii") == text, verdict.text()
    assert any("B3" in f.text and "outside every step" in f.text for f in verdict.findings if f.condition == "declared")


def test_a_copy_when_the_plan_is_listed_again(build):
    assert "declared" in check(build(CopiedInWiring)).violated


class NoisyWeights(DifferenceTargetPropagation):
    """The noise that an inverse learns from is a forward weight in disguise."""

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        noise = self.inverses[-1].noise[0].array
        noise.reshape(-1)[:9] += weight(self, "W2").array.reshape(-1)[:9]


def test_what_is_drawn_is_a_function_of_seed_and_place(build):
    verdict = check(build(NoisyWeights, text="5 hardtanh, 5 hardtanh pool"))
    assert any(f.condition == "iii" and f.text == "W2 reaches n1.1 in draw()" for f in verdict.findings), verdict.text()


class OwnGenerator(DifferenceTargetPropagation):
    """Draws go on from wherever the last one ended: no checkpoint can go back there."""

    def draw(self, epoch, batch):
        self.rng = getattr(self, "rng", None) or np.random.default_rng(1)
        for inverse in self.inverses:
            for noise in inverse.noise:
                noise.array[...] = self.rng.standard_normal(noise.shape)


def test_draws_that_depend_on_their_own_history(build):
    verdict = check(build(OwnGenerator, text="5 hardtanh pool"))
    assert any("no function of seed and place" in f.text for f in verdict.findings), verdict.text()


def scaled_by(function):
    def kernel(post, weight, error, *, size):
        function(post=post, weight=weight, error=error)
        error *= np.float32(size)

    return kernel


class ScaledByWeights(RandomFeedback):
    """A scalar of a step is the size of a forward weight, as it is when the plan is made."""

    def wire(self, phase):
        for step in super().wire(phase):
            if named(step, "deliver_convolution"):
                size = float(np.abs(weight(self, "W3").array).mean())
                yield altered_step(step, scaled_by(step.kernel.form("cpu")), scalars={"size": size})
            else:
                yield step


def test_a_scalar_that_follows_weights(build):
    verdict = check(build(ScaledByWeights))
    [found] = [f for f in verdict.findings if f.condition == "iii" and "when the plan is made" in f.text]
    assert found.text.startswith("W3 reaches the scalar size of step"), verdict.text()


class ScalarOfAnArray(RandomFeedback):
    def wire(self, phase):
        for step in super().wire(phase):
            if named(step, "deliver_convolution"):
                size = weight(self, "W3").array[0, 0, 0, 0]
                size = size.reshape(1)  # the weight itself, not a copy of it
                yield altered_step(step, scaled_by(step.kernel.form("cpu")), scalars={"size": size})
            else:
                yield step


def test_a_scalar_that_is_an_array(build):
    assert any("no plain number" in f.text for f in check(build(ScalarOfAnArray)).findings)


class Unsaved(RandomFeedback):
    """A number that is given once, and that a step counts up: no checkpoint keeps it."""

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.count = Buffer("count", ("one",), (1,), "value", "nobody", np.float64, given=True, initial=1.0)

    def wire(self, phase):
        for step in super().wire(phase):
            yield step
            if named(step, "deliver_convolution"):
                yield own_step(
                    "count",
                    self.kernel,
                    "the error is scaled by a number that grows",
                    "e = n e",
                    updates={"count": self.count, "error": next(iter(step.changed.values()))},
                )

    def outputs(self, phase):
        return [*super().outputs(phase), self.count]

    @staticmethod
    def kernel(count, error):
        count += 1
        error *= np.float32(1 / count[0])


def test_what_no_checkpoint_keeps(build):
    verdict = check(build(Unsaved))
    assert any("count (value) holds something from batch to batch" in f.text for f in verdict.findings), verdict.text()


class Counting(RandomFeedback):
    """A kernel that remembers, in a place that no buffer shows, how often it ran."""

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.times = 0

    def counted(self, function):
        def kernel(post, weight, error):
            self.times += 1
            function(post=post, weight=weight, error=error)
            error *= np.float32(1 + 0.1 * self.times)

        return kernel

    def wire(self, phase):
        for step in super().wire(phase):
            if named(step, "deliver_convolution"):
                yield altered_step(step, self.counted(step.kernel.form("cpu")))
            else:
                yield step


def test_a_kernel_that_remembers(build):
    assert "declared" in check(build(Counting)).violated


class Matched(Synapse):
    """When its head is matched, feedback is copied from it."""

    other = None

    def rescale(self, gain):
        super().rescale(gain)
        self.other.array[...] = self.weight.array


class CopiedWhenMatched(RandomFeedback):
    def __init__(self, network, loss):
        super().__init__(network, loss)
        synapse = self.head.synapse
        synapse.__class__ = Matched
        synapse.other = self.feedbacks[0].synapse.weight


class Skewed(Synapse):
    def rescale(self, gain):
        self.weight.array[...] *= np.linspace(gain, 2 * gain, self.weight.array.size).reshape(self.shape)


class SkewedWhenMatched(RandomFeedback):
    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.head.synapse.__class__ = Skewed


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (CopiedWhenMatched, "F3 changes while heads are matched"),
        (SkewedWhenMatched, "H3 is not multiplied by one number"),
    ],
)
def test_heads_that_are_matched(build, rule, text):
    assert any(f.condition == "declared" and text in f.text for f in check(build(rule)).findings)


class Innocent(DifferenceTargetPropagation):
    """Draws of its own, a function of seed and place; hooks that look and change nothing."""

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        self.seen = float(weight(self, "W2").array.mean())

    def progress(self, epoch, part, asked):
        return min(1.0, super().progress(epoch, part, asked) ** 2)


def test_hooks_that_only_look_raise_no_alarm(build):
    verdict = check(build(Innocent, text="5 hardtanh, 5 hardtanh pool"))
    assert verdict.exit_code == 0, verdict.text()
    text = verdict.text()
    assert "over 2 epochs and a checkpoint: no array changes outside its steps" in text
    assert "drawn again with every array replaced" in text


@pytest.mark.parametrize("order", ["greedy", "random"])
def test_every_phase_comes_twice(build, order):
    from neurosim.audit.interventions.places import chosen, places

    rule = build("ll", order=order)
    phases = [place.phase for place in places(rule, 2, 2)]
    assert all(phases.count(phase) >= 2 for phase in rule.phases)
    again = [place.phase for place in chosen(rule, list(rule.phases), 2)]
    assert sorted(again) == sorted(2 * rule.phases)


def test_a_phase_that_comes_late_is_found(build):
    from neurosim.audit.interventions.places import chosen, places

    rule = build("dtp", inverse_first=50)
    steps = places(rule, 2, 2)
    assert {place.phase for place in steps} == {"all layers", "inverses"} and len(steps) < 10
    assert {p.epoch for p in chosen(rule, ["all layers"], 2)} != {0}


class RateOfWeights(RandomFeedback):
    """How far the schedule has come depends on a forward weight."""

    def progress(self, epoch, part, asked):
        return float(np.abs(weight(self, "W3").array).mean())


class RateOfLoss(RandomFeedback):
    """Where the loss is large, the rate is another: a number that all synapses share."""

    def progress(self, epoch, part, asked):
        return float(abs(np.tanh(self.error.value.array[0])))


def test_rates_that_follow_weights_or_the_loss(build):
    found = check(build(RateOfWeights)).findings
    assert any(f.condition == "iii" and f.text == "W3 reaches rate in the schedule of rates" for f in found)
    verdict = check(build(RateOfLoss))
    assert verdict.violated == ["declared"] and "grade: local with a broadcast scalar" in verdict.text(), verdict.text()
    assert "value3 (value) holds something from batch to batch that no checkpoint keeps" in verdict.findings[0].text
    lines = [line for a in verdict.analyses for found in a.grades.values() for line in found]
    assert "rate, one number for all synapses, moves with value3" in lines, lines
