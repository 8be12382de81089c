"""More traits that break a condition: in the changes, in the arithmetic of errors, by labels, behind a false activity."""

from __future__ import annotations

import numpy as np
from guilty import Guilty, resized
from parts import REAL, like, own_step

from neurosim.core.buffer import Buffer


class OtherSynapses(Guilty):
    """A synapse's change depends on other synapses: their changes, their weights, their traces' length."""

    def build(self, rule):
        self.projection = self.choose(*rule.learners)
        self.other = self.choose(*[p for p in rule.learners if p is not self.projection])
        self.way = self.choose("mean", "sorted", "norm", "one", "other array", "lean", "unit length")
        self.detail = f"{self.projection.synapse.name}: {self.way}"

    def learned(self, rule, projection):
        if projection is not self.projection or self.way in ("lean", "unit length"):
            return

        def work(other, change):
            if self.way == "mean":
                change -= change.mean()
            elif self.way == "sorted":
                change[...] = np.sort(change.reshape(-1)).reshape(change.shape)
            elif self.way == "norm":
                change *= 0.01 / (0.01 + np.sqrt((change * change).sum()))
            elif self.way == "one":
                change[..., -1] = change[..., 0] + 0.1 * change[..., -1]
            else:
                change += 0.05 * resized(other, change.shape)

        given = {"reads": {"other": self.other.synapse.weight}, "updates": {"change": projection.synapse.change}}
        yield own_step(self.name("work"), work, "worked on", self.claim(None, "plasticity"), **given)

    def ended(self, rule):
        if self.way not in ("lean", "unit length"):
            return

        def work(weight):
            if self.way == "lean":
                weight += 0.05 * (np.roll(weight, 1, axis=-1) - weight)
            else:
                weight /= np.sqrt((weight * weight).sum(axis=tuple(range(weight.ndim - 1)), keepdims=True))

        given = {"updates": {"weight": self.projection.synapse.weight}}
        yield own_step(self.name("work"), work, "worked on", self.claim(None, "plasticity"), **given)


class Arithmetic(Guilty):
    """Errors are normalised over units, or multiplied with one another, in a kernel of whatever kind."""

    def build(self, rule):
        self.way = self.choose("length", "sum", "largest", "softmax", "deviation", "product")
        self.relayed, role = self.rng.random() < 0.4, self.choose("activity", "memory", "value", "gate")
        self.relay = like(rule.head.post.error, self.name("relay"), role)
        self.detail = f"{self.way}{f', through {role}' * self.relayed}"

    def _made(self, error):
        if self.way == "length":
            return error / (0.01 + np.sqrt((error * error).sum(axis=1, keepdims=True)))
        if self.way == "sum":
            return error / (0.01 + np.abs(error).sum(axis=1, keepdims=True))
        if self.way == "largest":
            return error / (0.01 + np.abs(error).max(axis=1, keepdims=True))
        if self.way == "softmax":
            return np.exp(error) / np.exp(error).sum(axis=1, keepdims=True) - 1 / error.shape[1]
        if self.way == "deviation":
            return error / np.sqrt(
                0.01 + ((error - error.mean(axis=1, keepdims=True)) ** 2).mean(axis=1, keepdims=True)
            )
        return error * np.roll(error, 1, axis=1)

    def compared(self, rule):
        error, kind = rule.head.post.error, self.claim(None, "gate", "respond", "compare", "plasticity", "store")

        def within(error):
            error[...] = self._made(error)

        def away(error, relay):
            relay[...] = self._made(error)

        def back(relay, error):
            error[...] = relay

        if not self.relayed:
            yield own_step(self.name("within"), within, "worked on", kind, updates={"error": error})
            return
        yield own_step(self.name("away"), away, "away", kind, reads={"error": error}, writes={"relay": self.relay})
        yield own_step(self.name("back"), back, "back", kind, reads={"relay": self.relay}, writes={"error": error})


class Labels(Guilty):
    """A label, in an array whose role says so, reaches the error, a factor or an activity, perhaps over another array."""

    def build(self, rule):
        self.place, self.relayed = self.choose("error", "activity"), self.rng.random() < 0.5
        rows = (rule.head.post.error if self.place == "error" else rule.head.post.activity).shape[0]
        self.labels = Buffer(self.name("labels"), ("moment",), (rows,), "label", "teacher", np.int64, given=True)
        sizes, role = ("moment",), self.choose("value", "activity", "noise")
        self.relay = Buffer(self.name("relay"), sizes, (rows,), role, "head", REAL)
        self.detail = f"{self.place}{f', through {role}' * self.relayed}"

    def hook(self, rule, place, epoch=0):
        if place == "draw":
            self.labels.put(np.random.default_rng([*rule.moment, 5]).integers(0, 4, self.labels.shape))

    def _steps(self, target):
        def relay(labels, relay):
            relay[...] = labels

        def teach(labels, target):
            at = np.asarray(labels).astype(int) % target.shape[1]
            target[np.arange(len(target)), at] -= 0.5

        labels = self.labels
        if self.relayed:
            yield own_step(
                self.name("pass"), relay, "passed on", None, reads={"labels": labels}, writes={"relay": self.relay}
            )
            labels = self.relay
        yield own_step(self.name("teach"), teach, "taught", None, reads={"labels": labels}, updates={"target": target})

    def compared(self, rule):
        if self.place == "error":
            yield from self._steps(rule.head.post.error)

    def responded(self, rule, units):
        if self.place == "activity" and units is rule.head.post:
            yield from self._steps(units.activity)


class Firewall(Guilty):
    """Weights or normalised comparisons go down inside what is called an activity, by a kernel that says units respond."""

    def build(self, rule):
        self.way = self.choose("tied", "contrast", "back-propagation")
        back = rule.down[0]
        self.error = back.projection.pre.whole.error.flat()
        like_error = (self.error.axes, self.error.shape, "activity", back.projection.pre.activity.owner, REAL)
        self.back, self.again = back, Buffer(self.name("again"), *like_error)
        self.detail = self.way

    def delivered(self, rule, back):
        if back is not self.back:
            return
        learning, activity, weight = rule.head.post.learning, rule.head.post.activity, rule.head.synapse.weight

        def respond(activity, weight, again):
            z, first = activity[learning:], activity[: len(activity) - learning]
            first = first[: len(z)]
            if self.way == "tied":
                again[...] = z @ weight.T
            elif self.way == "back-propagation":
                again[...] = np.sign(z - first) @ weight.T
            else:
                u = z / np.sqrt(0.01 + (z * z).sum(axis=1, keepdims=True))
                alike = np.exp(u @ u.T)
                again[...] = (alike / alike.sum(axis=1, keepdims=True) @ u - u) @ weight.T

        def take(again, error):
            error += 0.3 * again

        given = {"reads": {"activity": activity, "weight": weight}, "writes": {"again": self.again}}
        yield own_step(self.name("respond"), respond, "the layer responds again", "respond", **given)
        given = {"reads": {"again": self.again}, "updates": {"error": self.error}}
        yield own_step(self.name("take"), take, "gated", self.claim("gate", None), **given)
