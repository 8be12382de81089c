"""Museum: what is wrong at the error units, with labels, and in time."""

import numpy as np
import pytest
from own_kernels import altered_step, named, own_step

from neurosim.audit import check
from neurosim.audit.evidence import Grade
from neurosim.audit.target import of_rule
from neurosim.core.buffer import Buffer
from neurosim.losses import make as make_loss
from neurosim.losses.base import Loss
from neurosim.losses.hinge import Hinge


class Compared(Loss):
    """A loss with one kernel of its own: ``error2 = kernel(view1, view2)``."""

    name = "compared"

    def __init__(self, function):
        self.function = function

    def wire(self, units):
        def kernel(view1, view2, error2, value):
            error2[...] = self.function(view1, view2)
            value[0] += 1

        yield own_step(
            "compared",
            kernel,
            "error units compare",
            "e = f(z1, z2)",
            reads={"view1": units.view1, "view2": units.view2},
            writes={"error2": units.error2},
            sums={"value": units.value},
        )


class After(Hinge):
    """The hinge, and then something is done to its error."""

    def __init__(self, function, **reads):
        super().__init__(lags=3)
        self.function, self.more = function, reads

    def wire(self, units):
        yield from super().wire(units)

        def kernel(error, **more):
            error[...] = self.function(error, **more)

        yield own_step(
            "after",
            kernel,
            "the error is worked on",
            "e = f(e)",
            reads={k: b(units) for k, b in self.more.items()},
            updates={"error": units.error2},
        )


def test_a_loss_of_sums_and_signs_is_plausible(build):
    verdict = check(build("rf", loss=Compared(lambda a, b: np.sign(b - a))))
    assert verdict.exit_code == 0, verdict.text()
    verdict = check(build("rf", loss=After(lambda error: 0.5 * error)))
    assert verdict.exit_code == 0, verdict.text()


ARITHMETIC = {
    "a product at the error units": (lambda a, b: a * b, "product of activities"),
    "a square": (lambda a, b: b * b - a, "square"),
    "a division": (lambda a, b: (b - a) / (1 + np.abs(b)), "divide"),
    "an exponential": (lambda a, b: np.exp(b) - a, "exp"),
    "a soft maximum": (lambda a, b: np.exp(b) / np.exp(b).sum(axis=1, keepdims=True), "exp"),
    "a length": (lambda a, b: (b - a) / np.sqrt(((b - a) ** 2).sum(axis=1, keepdims=True) + 1e-6), "root"),
    "an inner product": (lambda a, b: b * np.einsum("nd,nd->n", a, b)[:, None], "inner product"),
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic_at_the_error_units(build, caught, name):
    function, word = ARITHMETIC[name]
    verdict = caught(build("rf", loss=Compared(function)), "ii", "behaviour operations")
    assert any(f.by == "operations" and word in f.text for f in verdict.findings), verdict.text()


def test_normalised_error(build, caught):
    verdict = caught(
        build("urf", loss=After(lambda error: error / np.linalg.norm(error, axis=1, keepdims=True))),
        "ii",
        "behaviour operations",
    )
    assert any("norm" in f.text or "divide" in f.text for f in verdict.findings)


def test_error_normalised_over_the_batch(build, caught):
    verdict = caught(
        build("rf", loss=Compared(lambda a, b: (b - b.mean(axis=0)) / b.std(axis=0))), "ii", "behaviour operations"
    )
    assert any("not strictly local in time" in line for line in verdict.assumed)


@pytest.mark.parametrize(("loss", "word"), [("simclr", "divide"), ("barlow", "variance")])
def test_published_losses_fail_by_the_name_of_an_operation(build, loss, word):
    verdict = check(build("ll", loss=make_loss(loss)))
    assert "ii" in verdict.violated and "(ii)" in verdict.line()
    text = [f.text for f in verdict.findings if f.condition == "ii" and f.by == "operations"]
    assert any(word in line and ".py:" in line for line in text)
    assert {"behaviour", "operations"} <= {f.by for f in verdict.findings if f.condition == "ii"}


# -- time


NOT_STRICT = [
    ("ll", {"block": False}, "view 1 is past when view 2 comes"),
    ("urf", {"block": False}, "view 2 of moment 4 replaced: ez3 of view 1"),
    ("ll", {"loss": ("hinge", {"lags": None})}, "later moments included"),
    ("rf", {"loss": ("hinge-mean", {})}, "view 1 of moment 4 replaced"),
    ("dtp", {"loss": ("hinge-mean", {}), "block": False}, "as if all of them were remembered"),
]


@pytest.mark.parametrize(("rule", "options", "words"), NOT_STRICT, ids=[f"{r}-{'-'.join(o)}" for r, o, _ in NOT_STRICT])
def test_comparison_of_a_whole_batch_is_reported(build, rule, options, words):
    """Declared, it breaks no condition; and the verdict says that the rule is not strictly local in time."""
    options = dict(options)
    if "loss" in options:
        options["loss"] = make_loss(options["loss"][0], **options["loss"][1])
    verdict = check(build(rule, **options))
    assert verdict.exit_code == 0, verdict.text()
    assert verdict.line().startswith("no violation found (local over a batch (not strictly local in time)")
    assert any(line.startswith("not strictly local in time") and words in line for line in verdict.assumed), (
        verdict.assumed
    )
    assert "\ngrade: local over a batch (not strictly local in time)" in verdict.text()


def test_the_local_form_is_strict(build):
    verdict = check(build("ll"))
    assert verdict.grade is Grade.STRICT and not any("time" in line for line in verdict.assumed)
    assert check(build("ll", loss=make_loss("positive"))).grade is Grade.STRICT


def test_the_mean_over_the_active_divides_by_a_count(build):
    verdict = check(build("rf", loss=make_loss("hinge-mean")))
    assert any(line.startswith("count: ") for line in verdict.assumed)


def test_a_leak_in_time_beside_a_declared_comparison(build, caught):
    """All moments are compared, as declared; that a gate mixes them, too, is not."""
    from neurosim.rules.rf import RandomFeedback

    class Mixed(RandomFeedback):
        def wire(self, phase):
            for step in super().wire(phase):
                yield step
                if named(step, "gate"):
                    [post] = step.writes.values()
                    yield own_step(
                        "mix",
                        lambda post: np.add(post, np.roll(post, -1, axis=0), out=post),
                        "moments are mixed",
                        "d = d + next d",
                        updates={"post": post},
                    )

    caught(build(Mixed, loss=make_loss("hinge", lags=None)), "i", "behaviour")


def test_update_from_future_activity(build, caught):
    """The memory is asked for moments that have not come yet: the index is one ahead."""

    class Ahead(Hinge):
        def wire(self, units):
            units.index._initial = np.minimum(np.arange(units.pairs) + 1, units.pairs - 1)
            yield from super().wire(units)

    verdict = check(build("rf", loss=Ahead(lags=3)))
    assert ("i", "behaviour") in {(f.condition, f.by) for f in verdict.findings}, verdict.text()
    assert any("came before" in f.text for f in verdict.findings)


def test_memory_older_than_its_lags(build, caught):
    """The rule says three lags, the kernel looks four back."""

    class Longer(Hinge):
        def wire(self, units):
            for step in super().wire(units):
                scalars = {**step.scalars, "lags": 4} if named(step, "hinge_lags") else step.scalars
                yield altered_step(step, scalars=scalars)
            units.memory.trace.base.shape = (units.pairs + 3, *units.memory.trace.shape[1:])

    caught(build("rf", loss=Longer(lags=3)), "i", "behaviour")


# -- labels


def labels_of(role, values=None):
    def make(units):
        return Buffer("labels", ("moment",), (units.pairs,), role, "teacher", np.int64, given=True, initial=values)

    return make


def pull(error, labels):
    return error + labels[:, None]


def test_label_leak(build, caught):
    caught(build("rf", loss=After(pull, labels=labels_of("label"))), "iv", "structure behaviour")


def test_label_leak_into_the_memory_of_the_next_batch(build, caught):
    """The label is kept for a batch before it is used."""

    class Later(Hinge):
        def wire(self, units):
            kept = Buffer("kept", ("moment",), (units.pairs,), "memory", "teacher", np.int64, lasts=True)
            yield from super().wire(units)
            yield own_step(
                "use",
                lambda kept, error: np.add(error, kept[:, None], out=error),
                "what was kept is added to the error",
                "e = e + kept",
                reads={"kept": kept},
                updates={"error": units.error2},
            )
            yield own_step(
                "keep",
                lambda labels, kept: np.copyto(kept, labels),
                "labels are kept",
                "kept = labels",
                reads={"labels": labels_of("label")(units)},
                writes={"kept": kept},
            )

    caught(build("rf", loss=Later(lags=3)), "iv", "structure behaviour")


@pytest.mark.parametrize("role", ["value", "activity", "gate", "error"])
def test_label_under_another_name(build, caught, role):
    """No run can tell that a number is a label: only that nothing made it."""
    verdict = caught(build("rf", loss=After(pull, labels=labels_of(role, [3, 1, 2, 1]))), "iv", "structure")
    assert "no labels were given" in verdict.not_asked[0]


def test_label_painted_into_the_picture(build, caught):
    """The plan is innocent; the pictures are not."""
    target = of_rule(build("ll"))
    show, labels = target.present_batch, np.array([3, 1, 2, 1])

    def paint(*place):
        show(*place)
        images = next(b for b in target.plans["all layers"].buffers if b.name == "images").array
        images[:4, 0, 0, 0] = images[4:, 0, 0, 0] = 60 * labels

    target.present_batch, target.labels = paint, labels
    verdict = caught(target, "iv", "behaviour")
    assert "outside the plan" in verdict.disagreements()[0]


def test_label_at_a_unit_of_a_layer(build):
    """A label joins the activity: everything above is no longer caused by the picture alone."""
    from neurosim.rules.rf import RandomFeedback

    class Told(RandomFeedback):
        def wire(self, phase):
            labels = Buffer("labels", ("sample",), (2 * self.network.pairs,), "label", "teacher", np.int64, given=True)
            for step in super().wire(phase):
                yield step
                if step.label == "layer 1 responds":
                    x = self.network.populations[1].activity
                    yield own_step(
                        "join",
                        lambda labels, activity: np.add(activity, labels.reshape(-1, 1, 1, 1), out=activity),
                        "a label joins",
                        "x = x + label",
                        reads={"labels": labels},
                        updates={"activity": x},
                    )

    verdict = check(build(Told))
    assert {("iv", "structure"), ("iv", "behaviour")} <= {(f.condition, f.by) for f in verdict.findings}, verdict.text()
    assert verdict.line().startswith("violated") and verdict.exit_code == 1
