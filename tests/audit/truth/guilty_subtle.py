"""Subtle traits that break a condition: rarely, in one place, by one number, in a sum of arrays, in what is drawn."""

from __future__ import annotations

import numpy as np
from guilty import Guilty, resized
from parts import REAL, like, own_step

from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.kernels.convolution import convolve
from neurosim.parts.synapse import Synapse


class RareUnits(Guilty):
    """A unit learns by another's factor where it is very active, or at one place, or in one row of the batch, or by memory."""

    def build(self, rule):
        self.units = self.choose(*[p.post for p in rule.learners])
        self.way = self.choose("active", "one place", "one row", "memory", "one synapse")
        self.memory = like(self.units.post, self.name("memory"), "memory", lasts=True)
        self.detail = f"{self.units.post.name}: {self.way}"

    def gated(self, rule, units):
        if units is not self.units or self.way == "one synapse":
            return
        others = lambda post: np.roll(post, 1, axis=-1)  # noqa: E731

        def mix(post, memory):
            if self.way == "active":
                post[...] = np.where(np.abs(post) > 0.7 * np.abs(post).max(), others(post), post)
            elif self.way == "one place":
                post.reshape(len(post), -1)[:, -1] += post.reshape(len(post), -1)[:, 0]
            elif self.way == "one row":
                post[-1] = others(post)[-1]
            else:
                now = post + 0.5 * memory
                memory[...] = others(post)
                post[...] = now
            if self.way != "memory":
                memory[...] = 0

        given = {"updates": {"post": units.post, "memory": self.memory}}
        yield own_step(self.name("mix"), mix, "gated again", self.claim(None, "gate"), **given)

    def learned(self, rule, projection):
        if projection.post is self.units and self.way == "one synapse":

            def swap(change):
                change.reshape(-1)[-1] = change.reshape(-1)[0] + 0.5 * change.reshape(-1)[-1]

            given = {"updates": {"change": projection.synapse.change}}
            yield own_step(self.name("swap"), swap, "one synapse", None, **given)


class NumberOfWeights(Guilty):
    """One number, made of forward weights, multiplies the factors or changes of another layer."""

    def build(self, rule):
        self.projection = self.choose(*rule.learners)
        self.other = self.choose(*[p for p in rule.learners if p is not self.projection])
        self.way, role = self.choose("factor", "change"), self.choose("value", "rate", "noise", "activity")
        self.number_ = Buffer(self.name("number"), ("one",), (1,), role, "layer 1", REAL)
        self.detail = f"{self.other.synapse.name} -> {self.projection.synapse.name}: {self.way}, {role}"

    def _steps(self, name, target):
        def read(weight, number):
            number[0] = np.abs(weight).mean() * 5

        def multiply(number, target):
            target *= number[0]

        given = {"reads": {"weight": self.other.synapse.weight}, "writes": {"number": self.number_}}
        yield own_step(self.name("read"), read, "read", None, **given)
        given = {"reads": {"number": self.number_}, "updates": {"target": target}}
        yield own_step(self.name("multiply"), multiply, "multiplied", None, **given)

    def gated(self, rule, units):
        if self.way == "factor" and units is self.projection.post:
            yield from self._steps("factor", units.post)

    def learned(self, rule, projection):
        if self.way == "change" and projection is self.projection:
            yield from self._steps("change", projection.synapse.change)


class DrawnWeights(Guilty):
    """Between batches forward weights are laid into an array that is given from outside, as noise, rate or figure."""

    def build(self, rule):
        self.back, self.weight = rule.down[0], rule.head.synapse.weight
        role, self.scale = self.choose("noise", "rate", "value", "gate", "deformation"), float(self.rng.uniform(0.1, 2))
        self.given = like(self.weight, self.name("given"), role, "layer 1", given=True)
        self.detail = role

    def hook(self, rule, place, epoch=0):
        if place == "draw":
            self.given.put(self.scale * self.weight.array)

    def delivered(self, rule, back):
        if back is not self.back:
            return

        def add(post, given, error):
            error += post @ given.T

        error = back.projection.pre.whole.error.flat()
        given = {"reads": {"post": rule.head.post.post, "given": self.given}, "updates": {"error": error}}
        yield own_step(self.name("add"), add, "delivered again", self.claim(None, "deliver"), **given)


class StartsHidden(Guilty):
    """No array is alike forward weights at the start, but what is delivered is: split, mixed, turned, or a product."""

    def build(self, rule):
        self.back, weight = rule.down[0], rule.head.synapse.weight.array
        self.way = self.choose("split", "mixed", "turned convolution")
        rows, units = weight.shape
        rng = np.random.default_rng([rule.seed, 8])
        self.mixing = np.linalg.qr(rng.normal(size=(units, units)))[0].astype(REAL)
        self.first, self.second = (self._synapse(rule, letter, weight.shape) for letter in "ST")
        self.first.weight.array[...] = rng.normal(size=weight.shape) / np.sqrt(rows)
        self.second.weight.array[...] = weight - self.first.weight.array
        if self.way == "mixed":
            self.first.weight.array[...] = weight @ self.mixing
        plain = [p for p in rule.learners[1:-1] if not p.post.pooled]
        if self.way == "turned convolution" and (rule.direct or not plain):
            self.way = "split"
        if self.way == "turned convolution":
            self.turned = self.choose(*plain)
            w = self.turned.synapse.weight.array
            made = np.ascontiguousarray(w[::-1, ::-1].transpose(0, 1, 3, 2))
            self.first = self._synapse(rule, "U", made.shape)
            self.first.weight.array[...] = made
            self.relay = like(self.turned.pre.error, self.name("relay"), "error")
        self.detail = self.way

    def _synapse(self, rule, letter, shape):
        return Synapse(f"{letter}{self.number}", shape, "feedback weight", [rule.seed, ord(letter)], None, REAL)

    def delivered(self, rule, back):
        if self.way == "turned convolution":
            if back.projection is self.turned:
                below, above = back.projection.pre, back.projection.post
                relay = self.relay
                given = {"presynaptic": above.post, "weight": self.first.weight, "potential": relay}
                yield Step(convolve, "sent down", "e = U * d", given, over="sample")

                def add(relay, error):
                    error += relay

                given = {"reads": {"relay": relay}, "updates": {"error": below.error}}
                yield own_step(self.name("add"), add, "added", None, **given)
            return
        if back is not self.back:
            return

        def split(post, first, second, error):
            error += post @ first.T + post @ second.T

        def mixed(post, first, error):
            error += (post @ self.mixing) @ first.T

        error = back.projection.pre.whole.error.flat()
        reads = {"post": rule.head.post.post, "first": self.first.weight}
        if self.way == "split":
            reads["second"] = self.second.weight
        function = split if self.way == "split" else mixed
        given = {"reads": reads, "updates": {"error": error}}
        yield own_step(self.name("more"), function, "delivered again", self.claim(None, "deliver"), **given)


class FewCopied(Guilty):
    """Of feedback a few numbers alone follow those of forward weights, at every batch."""

    def build(self, rule):
        self.back = self.choose(*rule.down)
        self.count = self.choose(1, 3, 10)
        self.detail = f"{self.back.synapse.name}: {self.count}"

    def sending(self, rule, back):
        if back is not self.back:
            return

        def few(weight, sent):
            sent.reshape(-1)[: self.count] = resized(weight, (self.count,))

        weight, sent = rule.forward_of(back).weight, back.synapse.weight
        given = {"reads": {"weight": weight}, "updates": {"sent": sent}}
        yield own_step(self.name("few"), few, "a few follow", self.claim(None, "send"), **given)
