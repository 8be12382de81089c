"""Traits that break no condition: twins of the guilty ones, with everything made of what a unit or a synapse may know."""

from __future__ import annotations

import numpy as np
from parts import REAL, Trait, like, own_step

from neurosim.core.buffer import Buffer
from neurosim.parts.feedback import Feedback


class Decay(Trait):
    """Weights decay by a part of themselves."""

    def build(self, rule):
        self.synapses = [p.synapse for p in rule.learners]

    def ended(self, rule):
        def decay(weight):
            weight -= 0.01 * weight

        for number, synapse in enumerate(self.synapses):
            kind = self.claim(None, "plasticity")
            yield own_step(self.name(f"decay{number}"), decay, "decay", kind, updates={"weight": synapse.weight})


class UnitRates(Trait):
    """Every unit of the head has a constant rate of its own."""

    def build(self, rule):
        self.units = rule.head.post
        width = self.units.post.shape[-1]
        rates = self.rng.uniform(0.5, 1.5, width).astype(REAL)
        self.rates = Buffer(
            self.name("rates"), ("unit",), (width,), "value", self.units.activity.owner, REAL, given=True, initial=rates
        )

    def gated(self, rule, units):
        if units is self.units:

            def weigh(rates, post):
                post *= rates

            given = {"reads": {"rates": self.rates}, "updates": {"post": units.post}}
            yield own_step(self.name("weigh"), weigh, "rates of units", self.claim(None, "gate"), **given)


class Mask(Trait):
    """Some synapses do not exist: a fixed mask, kept as floats, multiplies weights and changes."""

    def build(self, rule):
        self.projection = self.choose(*rule.learners)
        weight = self.projection.synapse.weight
        there = (self.rng.random(weight.shape) < 0.6).astype(REAL)
        weight.array[...] *= there
        self.mask = like(weight, self.name("mask"), "value", given=True, initial=there)

    def learned(self, rule, projection):
        if projection is self.projection:

            def cut(mask, change):
                change *= mask

            given = {"reads": {"mask": self.mask}, "updates": {"change": projection.synapse.change}}
            yield own_step(self.name("cut"), cut, "no synapse, no change", None, **given)


class SmoothError(Trait):
    """The head's error is smoothed over batches by a declared memory of each unit's own."""

    def build(self, rule):
        self.trace = like(rule.head.post.error, self.name("trace"), "memory", lasts=True)

    def compared(self, rule):
        def smooth(error, trace):
            trace *= 0.5
            trace += error
            error[...] = trace

        given = {"updates": {"error": rule.head.post.error, "trace": self.trace}}
        yield own_step(self.name("smooth"), smooth, "smoothed", self.claim(None, "gate"), **given)


class ScaledError(Trait):
    """The head's error is multiplied by a constant, clipped between constants, or only its sign is kept."""

    def build(self, rule):
        self.way, self.factor = self.choose("scaled", "clipped", "sign"), float(self.rng.uniform(0.2, 2))
        self.detail = self.way

    def compared(self, rule):
        def work(error):
            if self.way == "scaled":
                error *= self.factor
            elif self.way == "clipped":
                error[...] = np.minimum(np.maximum(error, -self.factor), self.factor)
            else:
                error[...] = self.factor * np.sign(error)

        yield own_step(
            self.name("work"), work, "worked on", self.claim(None, "gate"), updates={"error": rule.head.post.error}
        )


class Noise(Trait):
    """Declared noise on the activity of a layer, drawn between batches."""

    def build(self, rule):
        self.units = self.choose(*[p.post for p in rule.learners])
        self.noise = like(self.units.activity, self.name("noise"), "noise", given=True)

    def hook(self, rule, place, epoch=0):
        if place == "draw":
            self.noise.put(np.random.default_rng([*rule.moment, self.number]).normal(size=self.noise.shape))

    def responded(self, rule, units):
        if units is self.units:

            def disturb(noise, activity):
                activity += 0.1 * noise

            given = {"reads": {"noise": self.noise}, "updates": {"activity": units.activity}}
            yield own_step(self.name("disturb"), disturb, "noise", self.claim(None, "respond"), **given)


class Respond(Trait):
    """A layer's activity is worked on unit by unit, place by place, or channels inhibit one another."""

    def build(self, rule):
        self.units = self.choose(*[p.post for p in rule.learners[1:]])
        self.way = self.choose("affine", "tanh", "sigmoid", "inhibition", "softplus")
        self.detail = self.way

    def responded(self, rule, units):
        if units is not self.units:
            return

        def respond(activity):
            if self.way == "affine":
                activity[...] = 0.8 * activity + 0.1
            elif self.way == "tanh":
                activity[...] = np.tanh(1.2 * activity)
            elif self.way == "sigmoid":
                activity[...] = 1 / (1 + np.exp(-activity))
            elif self.way == "softplus":
                activity[...] = np.log1p(np.exp(activity)) - 0.7
            else:
                activity -= 0.1 * (activity.sum(axis=-1, keepdims=True) - activity)

        kind = self.claim(None, "respond")
        yield own_step(self.name("respond"), respond, "responds again", kind, updates={"activity": units.activity})


class Dale(Trait):
    """Forward and feedback weights have the signs of their presynaptic units, drawn independently."""

    def build(self, rule):
        self.way = self.choose("positive", "presynaptic")
        for projection, back in zip(rule.learners[:-1], rule.down, strict=True):
            w, b = projection.synapse.weight.array, back.synapse.weight.array
            w[...], b[...] = np.abs(w), np.abs(b)
            if self.way == "presynaptic":
                w *= self._signs(w.shape[-2])[:, None]
                b *= self._signs(b.shape[-1])
        self.detail = self.way

    def _signs(self, count):
        return np.where(self.rng.random(count) < 0.5, -1, 1).astype(REAL)


class Threshold(Trait):
    """Every unit of a layer has a threshold that follows its own activity: a declared memory."""

    def build(self, rule):
        self.units = self.choose(*[p.post for p in rule.learners])
        x = self.units.activity
        axes, shape, owner = x.axes[1:], x.shape[1:], x.owner
        self.threshold = Buffer(self.name("threshold"), axes, shape, "memory", owner, REAL, lasts=True)

    def responded(self, rule, units):
        if units is self.units:

            def lower(threshold, activity):
                activity -= threshold

            given = {"reads": {"threshold": self.threshold}, "updates": {"activity": units.activity}}
            yield own_step(self.name("lower"), lower, "below the threshold", self.claim(None, "respond"), **given)

    def ended(self, rule):
        def adapt(activity, threshold):
            for row in activity:
                threshold += 0.02 * (row - threshold)

        given = {"reads": {"activity": self.units.activity}, "updates": {"threshold": self.threshold}}
        yield own_step(self.name("adapt"), adapt, "adapts", self.claim(None, "store"), **given)


class Reward(Trait):
    """One number that all share, the batch's loss, multiplies the factors of a layer: a broadcast scalar."""

    def build(self, rule):
        self.units = self.choose(*[p.post for p in rule.learners])

    def gated(self, rule, units):
        if units is self.units:

            def reward(value, post):
                post *= 0.5 + 0.01 * value[0]

            given = {"reads": {"value": rule.error.value}, "updates": {"post": units.post}}
            yield own_step(self.name("reward"), reward, "reward", self.claim(None, "gate"), **given)


class BatchMean(Trait):
    """From the head's error its mean over the batch is taken away: local over a batch, and so declared."""

    def compared(self, rule):
        def centre(error):
            error -= error.mean(axis=0, keepdims=True)

        kind = self.claim(None, "gate")
        yield own_step(self.name("centre"), centre, "centred", kind, updates={"error": rule.head.post.error})


class OwnRelayed(Trait):
    """What is sent down is made at every batch of feedback weights of its own: signs, scales, masks. Roles are true."""

    def build(self, rule):
        old = self.choose(*rule.down)
        self.source = old.synapse.weight
        self.sent = like(self.source, self.name("sent"), "feedback weight", old.synapse.name)
        sent, self.way = self.sent, self.choose("signs", "scaled", "masked")
        mask = (self.rng.random(self.source.shape) < 0.7).astype(REAL)
        works = {"signs": lambda b: 0.2 * np.sign(b), "scaled": lambda b: 0.5 * b, "masked": lambda b: b * mask}
        self.work, self.detail = works[self.way], self.way

        class Made(type(old)):
            """Sends what a step makes of its own weights."""

            @property
            def sent(self):
                return sent

        assert isinstance(old, Feedback)
        self.back = Made(old.projection, old.synapse)
        at = rule.down.index(old)
        rule.down[at] = rule.feedbacks[at] = self.back

    def sending(self, rule, back):
        if back is self.back:

            def make(weight, sent):
                sent[...] = self.work(weight)

            given = {"reads": {"weight": self.source}, "writes": {"sent": self.sent}}
            yield own_step(self.name("make"), make, "made of its own", self.claim(None, "send"), **given)


class KolenPollack(Trait):
    """Feedback learns by the same outer products as the weights beside it, and both decay alike."""

    def build(self, rule):
        rule.direct = False
        rule.down = [rule.own_path(projection, True) for projection in rule.learners[:-1]]
        rule.feedbacks = [*rule.down]

    def ended(self, rule):
        def decay(weight):
            weight *= 0.98

        for number, back in enumerate(rule.down):
            for synapse in (back.synapse, back.projection.synapse):
                name = self.name(f"decay{number}{synapse.name}")
                yield own_step(name, decay, "both decay", "plasticity", updates={"weight": synapse.weight})
