"""More traits that break no condition: structured weights, traces, recurrence, mirrors, masks drawn by lot."""

from __future__ import annotations

import numpy as np
from parts import REAL, Trait, like, own_step

from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.kernels.dense import dense


class Structured(Trait):
    """Forward and feedback weights have one structure, each with numbers of its own: smooth, few large, reciprocal, thin."""

    def build(self, rule):
        self.way = self.choose("smooth", "lognormal", "reciprocal", "low rank", "uniform feedback")
        self.detail = self.way
        for projection, back in zip(rule.learners[:-1], rule.down, strict=True):
            there = self.rng.random(projection.synapse.shape) < 0.5
            for synapse in (projection.synapse, back.synapse):
                self._structure(synapse.weight.array, there, synapse is back.synapse)

    def _structure(self, w, there, feedback):
        if self.way == "smooth" and w.ndim == 4:
            w[...] = 3 * w.mean(axis=(0, 1), keepdims=True)
        elif self.way == "lognormal":
            w[...] = 0.05 * self.rng.lognormal(0, 1, w.shape)
        elif self.way == "reciprocal" and there.shape == w.shape:
            w *= there
        elif self.way == "low rank" and w.ndim == 2:
            w[...] = 0.1 * np.outer(self.rng.normal(size=len(w)), self.rng.normal(size=w.shape[1]))
        elif self.way == "uniform feedback" and feedback:
            w[...] = 0.1


class Dropout(Trait):
    """Units of a layer are silent by lot, and so is their factor: a declared mask, drawn between batches."""

    def build(self, rule):
        self.units = self.choose(*[p.post for p in rule.learners if not p.post.pooled])
        self.mask = like(self.units.activity, self.name("mask"), "noise", given=True)

    def hook(self, rule, place, epoch=0):
        if place == "draw":
            self.mask.put(np.random.default_rng([*rule.moment, self.number]).random(self.mask.shape) < 0.8)

    def _silence(self, mask, array, word):
        def silence(mask, array):
            array *= mask

        given = {"reads": {"mask": mask}, "updates": {"array": array}}
        yield own_step(self.name(word), silence, "silenced", None, **given)

    def responded(self, rule, units):
        if units is self.units:
            yield from self._silence(self.mask, units.activity, "silence")

    def gated(self, rule, units):
        if units is self.units:
            part = self.mask.part(self.name("mask part"), units.learning, units.views) if units.learning else self.mask
            yield from self._silence(part, units.post, "close")


class Leak(Trait):
    """A layer's activity leaks: part of the last batch's activity of the same row is still there, a declared memory."""

    def build(self, rule):
        self.units = self.choose(*[p.post for p in rule.learners])
        self.memory = like(self.units.activity, self.name("memory"), "memory", lasts=True)

    def responded(self, rule, units):
        if units is self.units:

            def leak(activity, memory):
                memory *= 0.5
                memory += activity
                activity[...] = np.clip(memory, -1, 1)

            given = {"updates": {"activity": units.activity, "memory": self.memory}}
            yield own_step(self.name("leak"), leak, "leaks", self.claim(None, "respond"), **given)


class Mirror(Trait):
    """Feedback along the head also grows by noise below and the head's answer to it: a weight mirror."""

    def build(self, rule):
        rule.direct = False
        rule.down = [rule.own_path(projection, True) for projection in rule.learners[:-1]]
        rule.feedbacks = [*rule.down]
        self.head, self.synapse = rule.head, rule.down[0].synapse
        views, (below, units) = rule.head.post.views, rule.head.synapse.shape
        axes = ("sample", "presynaptic")
        self.noise = Buffer(
            self.name("fired"), axes, (views, below), "noise", rule.head.pre.activity.owner, REAL, given=True
        )
        sizes = ("sample", "postsynaptic"), (views, units)
        self.answer = Buffer(self.name("answer"), *sizes, "activity", rule.head.post.activity.owner, REAL)
        self.minus = Buffer(self.name("minus"), *sizes, "error", rule.head.post.activity.owner, REAL)

    def hook(self, rule, place, epoch=0):
        if place == "draw":
            self.noise.put(np.random.default_rng([*rule.moment, self.number]).normal(size=self.noise.shape))

    def ended(self, rule):
        def opposite(activity, post):
            post[...] = -activity

        given = {"presynaptic": self.noise, "weight": self.head.synapse.weight, "potential": self.answer}
        yield Step(dense, "the head answers noise", "a = H noise", given, over="sample")
        given = {"reads": {"activity": self.answer}, "writes": {"post": self.minus}}
        yield own_step(self.name("opposite"), opposite, "turned round", "gate", **given)
        yield from self.synapse.hebbian(self.noise, self.minus)
        yield from self.synapse.consolidate()


class Trace(Trait):
    """The head's change is by a leaky trace of what its presynaptic units did."""

    def build(self, rule):
        self.head, x = rule.head, rule.head.pre.active_part.flat()
        self.trace = Buffer(self.name("trace"), x.axes, x.shape, "memory", x.owner, REAL, lasts=True)
        rule.presynaptic[rule.head] = self.trace

    def learning(self, rule, projection):
        if projection is self.head:

            def follow(activity, trace):
                trace *= 0.5
                trace += activity

            x = self.head.pre.active_part.flat()
            given = {"reads": {"activity": x}, "updates": {"trace": self.trace}}
            yield own_step(self.name("follow"), follow, "the trace follows", self.claim(None, "store"), **given)


class TwoPopulations(Trait):
    """Positive and negative errors are carried by two populations of their own."""

    def build(self, rule):
        error = rule.head.post.error
        self.plus, self.minus = like(error, self.name("plus")), like(error, self.name("minus"))

    def compared(self, rule):
        def halve(error, plus, minus):
            plus[...] = np.maximum(error, 0)
            minus[...] = np.maximum(-error, 0)

        def join(plus, minus, error):
            error[...] = plus - minus

        both, error = {"plus": self.plus, "minus": self.minus}, {"error": rule.head.post.error}
        yield own_step(self.name("halve"), halve, "two populations", self.claim(None, "gate"), reads=error, writes=both)
        yield own_step(self.name("join"), join, "what both say", self.claim(None, "gate"), reads=both, writes=error)


class Recurrent(Trait):
    """The top layer's activity acts back on itself through lateral weights of its own that never change."""

    def build(self, rule):
        self.units = rule.learners[1].post
        width = self.units.shape[-1]
        axes, made = ("presynaptic", "postsynaptic"), self.rng.normal(size=(width, width)) * 0.1
        self.lateral = Buffer(
            self.name("L"),
            axes,
            (width, width),
            "forward weight",
            self.units.activity.owner,
            REAL,
            lasts=True,
            initial=made,
        )
        self.more = like(self.units.activity, self.name("more"))

    def responded(self, rule, units):
        if units is self.units:

            def around(activity, lateral, more):
                more[...] = activity @ lateral

            def again(more, activity):
                activity[...] = np.tanh(activity + more)

            given = {"reads": {"activity": units.activity, "lateral": self.lateral}, "writes": {"more": self.more}}
            yield own_step(self.name("around"), around, "lateral", self.claim(None, "transmit"), **given)
            given = {"reads": {"more": self.more}, "updates": {"activity": units.activity}}
            yield own_step(self.name("again"), again, "responds again", self.claim(None, "respond"), **given)
