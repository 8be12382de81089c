"""Traits that break a condition: a path from forward weights, labels, other units or hidden state into a change."""

from __future__ import annotations

import time

import numpy as np
from parts import REAL, Trait, like, own_step

from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role


def resized(array, shape):
    """Its numbers, over and over, in another shape."""
    return np.resize(np.asarray(array), shape)


def worker(work):
    """A kernel that works on what it passes on."""

    def kernel(source, relay):
        relay[...] = work(resized(source, relay.shape))

    return kernel


class Guilty(Trait):
    """A trait that breaks a condition."""

    guilty = True


class Relayed(Guilty):
    """Forward weights reach feedback over arrays of any roles, worked on at every relay, at once or a batch late."""

    roles = ("activity", "memory", "noise", "value", "error", "gate", "change", "plasticity", "feedback weight")

    def build(self, rule):
        self.back = self.choose(*rule.down)
        self.target, forwards = self.back.synapse.weight, [p.synapse.weight for p in rule.learners]
        own = rule.forward_of(self.back).weight
        self.source = own if self.rng.random() < 0.7 and own.shape == self.target.shape else self.choose(*forwards)
        self.late, self.use = self.rng.random() < 0.3, self.choose("refresh", "refresh", "blend")
        self.works = [self._work() for _ in range(int(self.rng.integers(1, 4)))]
        self.relays = [self._relay(n) for n in range(len(self.works))]
        words = " ".join(name for name, _ in self.works)
        self.detail = f"{self.source.name} -> {self.target.name}: {words}, {self.use}{', late' * self.late}"

    def _relay(self, number):
        role = self.choose("memory", "plasticity", "feedback weight") if self.late and number == 0 else ""
        role, owner = role or self.choose(*self.roles), self.choose("layer 1", "head", self.target.name)
        lasts = self.late and number == 0
        return like(self.target, self.name(f"r{number}"), role, owner, lasts=lasts)

    def _work(self):
        scale, seed, shape = float(self.rng.uniform(0.05, 3)), int(self.rng.integers(2**31)), self.target.shape
        fixed = np.random.default_rng(seed)
        order, mask = fixed.permutation(int(np.prod(shape))), (fixed.random(shape) < 0.6).astype(REAL)
        noise = fixed.normal(size=shape).astype(REAL)
        return self.choose(
            ("scaled", lambda a: scale * a),
            ("turned", lambda a: -a),
            ("signs", lambda a: np.sign(a)),
            ("permuted", lambda a: a.reshape(-1)[order].reshape(shape)),
            ("shifted", lambda a: a + scale),
            ("rolled", lambda a: np.roll(a, 1, axis=-1)),
            ("masked", lambda a: a * mask),
            ("blended", lambda a: 0.5 * a + 0.1 * noise),
            ("reversed", lambda a: a[::-1]),
        )

    def _steps(self, numbers):
        for number in numbers:
            source = self.relays[number - 1] if number else self.source
            kind = self.claim(None, "respond", "send", "store", "gate")
            given = {"reads": {"source": source}, "writes": {"relay": self.relays[number]}}
            yield own_step(
                self.name(f"relay{number}"),
                worker(self.works[number][1]),
                f"relay {number} of {self.number}",
                kind,
                **given,
            )

    def sending(self, rule, back):
        if back is not self.back:
            return
        yield from self._steps(range(int(self.late), len(self.works)))
        given = {"reads": {"relay": self.relays[-1]}}

        def refresh(relay, sent):
            sent[...] = relay

        def blend(relay, sent):
            sent += 0.2 * (relay - sent)

        if self.use == "blend":
            yield own_step(self.name("blend"), blend, "feedback leans", **given, updates={"sent": self.target})
        else:
            yield own_step(self.name("refresh"), refresh, "feedback follows", **given, writes={"sent": self.target})

    def ended(self, rule):
        if self.late:
            yield from self._steps([0])


class OtherUnits(Guilty):
    """Factors of one layer are mixed with those of other units, places or samples: always, late, or of one unit alone."""

    def build(self, rule):
        self.units = self.choose(*[p.post for p in rule.learners])
        self.way = self.choose("roll", "one unit", "matrix", "other activity", "maximum", "sample", "mean")
        self.late = self.rng.random() < 0.3
        shape = (1,)
        self.count = Buffer(self.name("count"), ("one",), shape, "memory", self.units.activity.owner, REAL, lasts=True)
        self.other = self.choose(*[p.post for p in rule.learners if p.post is not self.units])
        width = self.units.post.shape[-1]
        self.matrix = np.random.default_rng(self.number).normal(size=(width, width)).astype(REAL)
        self.detail = f"{self.units.post.name}: {self.way}{', from the second batch on' * self.late}"

    def _mixed(self, post, other):
        if self.way == "roll":
            return np.roll(post, 1, axis=-1)
        if self.way == "one unit":
            mixed = post.copy()
            mixed[..., 0] += 0.5 * post[..., -1]
            return mixed
        if self.way == "matrix":
            return post @ self.matrix
        if self.way == "other activity":
            return post + 0.3 * resized(other, post.shape)
        if self.way == "maximum":
            return np.where(np.abs(post) >= np.abs(post).max(axis=-1, keepdims=True), post, 0 * post)
        if self.way == "sample":
            return np.roll(post, 1, axis=0)
        return post + 0.5 * post.mean(axis=tuple(range(1, post.ndim)), keepdims=True) + 0.01 * np.abs(post).sum()

    def gated(self, rule, units):
        if units is not self.units:
            return

        def mix(other, post, count):
            if count[0] >= float(self.late):
                post[...] = self._mixed(post, other)
            count += 1

        given = {"reads": {"other": self.other.activity}, "updates": {"post": units.post, "count": self.count}}
        yield own_step(self.name("mix"), mix, "gated again", self.claim(None, "gate"), **given)


class HiddenWeights(Guilty):
    """A kernel takes forward weights from where no step declares them, and adds what they would deliver."""

    def build(self, rule):
        self.way = self.choose("closure", "attribute", "default", "stash")
        self.weight, self.back = rule.head.synapse.weight, rule.down[0]
        self.kept, self.rule, self.from_batch = [], rule, self.choose(0, 0, 2)
        self.share, self.detail = float(self.rng.uniform(0.2, 1)), f"{self.way}, from batch {self.from_batch}"
        self.calls = 0

    def compared(self, rule):
        if self.way == "stash":

            def keep(weight, error):
                self.kept[:] = [np.array(weight)]
                error += 0 * weight[0]

            given = {"reads": {"weight": self.weight}, "updates": {"error": rule.head.post.error}}
            yield own_step(self.name("keep"), keep, "nothing much", None, **given)

    def delivered(self, rule, back):
        if back is not self.back:
            return
        array = self.weight.array

        def helper(post, weight=array):
            return post @ weight.T

        def add(post, error):
            self.calls += 1
            if self.calls <= self.from_batch:
                return
            if self.way == "closure":
                more = post @ array.T
            elif self.way == "attribute":
                more = post @ self.rule.head.synapse.weight.array.T
            elif self.way == "default":
                more = helper(post)
            else:
                more = post @ self.kept[0].T
            error += self.share * more

        error = back.projection.pre.whole.error.flat()
        given = {"reads": {"post": rule.head.post.post}, "updates": {"error": error}}
        yield own_step(self.name("add"), add, "delivered again", self.claim(None, "deliver"), **given)


class HiddenState(Guilty):
    """What a kernel does depends on what no array declares: a random number, the clock, its last call, how often it ran."""

    def build(self, rule):
        self.way = self.choose("random", "clock", "last", "count")
        self.last, self.calls, self.detail = {}, 0, self.way

    def compared(self, rule):
        def change(error):
            self.calls += 1
            if self.way == "random":
                error += (0.1 * np.random.standard_normal(error.shape)).astype(error.dtype)  # noqa: NPY002
            elif self.way == "clock":
                error *= 0.5 + time.time_ns() % 997 / 997
            elif self.way == "last":
                now = error.copy()
                if "e" in self.last and self.last["e"].shape == now.shape:
                    error += 0.5 * self.last["e"]
                self.last["e"] = now
            else:
                error *= 1 + self.calls % 5

        yield own_step(self.name("change"), change, "the error", None, updates={"error": rule.head.post.error})


class StartsAsCopy(Guilty):
    """Feedback starts as the forward weights: scaled, turned, blended, half of them, their signs."""

    def build(self, rule):
        backs = [b for b in rule.down if b.synapse.shape == b.projection.synapse.shape and not rule.direct]
        backs = [b for b in backs if np.prod(b.synapse.shape) >= 100] or rule.down[:1]
        back = self.choose(*backs)
        if back.synapse.shape != back.projection.synapse.shape or rule.direct:
            back = rule.down[0]  # straight from the head to the top layer: along the head
            assert back.synapse.shape == rule.head.synapse.shape
        weight = (rule.head if rule.direct else back.projection).synapse.weight.array
        own, self.way = back.synapse.weight.array, self.choose("copy", "scaled", "turned", "blended", "sparse", "signs")
        if self.way == "signs" and np.ptp(np.sign(weight)) == 0:  # all alike: they say nothing of the weights
            self.way = "scaled"
        mask = np.random.default_rng(self.number).random(own.shape) < 0.5
        made = {
            "copy": weight,
            "scaled": 0.1 * weight,
            "turned": -weight,
            "blended": 0.5 * weight + 0.5 * own,
            "sparse": np.where(mask, weight, own),
            "signs": 0.1 * np.sign(weight),
        }
        own[...] = made[self.way]
        self.detail = f"{back.synapse.name}: {self.way}"


class InTheLoop(Guilty):
    """Between batches, from the first or the second epoch on, forward weights go into feedback, or feedback into them."""

    def build(self, rule):
        self.back, self.rule = self.choose(*rule.down), rule
        self.place = self.choose("draw", "draw", "phase", "progress", "plasticities")
        self.first = self.choose(0, 1) if self.place in ("draw", "phase", "progress") else 0
        self.way = self.choose("copy", "blend", "the other way")
        self.detail = f"{self.place}, from epoch {self.first}, {self.way}"

    def hook(self, rule, place, epoch=0):
        if place != self.place or epoch < self.first:
            return
        own, weight = self.back.synapse.weight.array, rule.forward_of(self.back).weight.array
        if self.way == "copy":
            own[...] = resized(weight, own.shape)
        elif self.way == "blend":
            own += 0.05 * resized(weight, own.shape)
        else:
            weight += 0.05 * resized(own, weight.shape)


class FalseRole(Guilty):
    """The head's weights carry errors down, too, and are said to be feedback, memory, inverse weights or a trace."""

    def build(self, rule):
        role = self.choose("feedback weight", "inverse weight", "memory", "plasticity", "forward weight")
        rule.head.synapse.weight.role = Role(role)
        self.back, self.detail = rule.down[0], role

    def delivered(self, rule, back):
        if back is not self.back:
            return

        def deliver(post, weight, error):
            error *= 0.5
            error += post @ weight.T

        error = back.projection.pre.whole.error.flat()
        given = {"reads": {"post": rule.head.post.post, "weight": rule.head.synapse.weight}}
        kind = self.claim(None, "deliver", "transmit", "respond")
        yield own_step(self.name("send"), deliver, "sent down", kind, **given, updates={"error": error})
