"""Museum, second room: what is wrong at the error units, with labels, and in time."""

import numpy as np
import pytest

from neurosim.audit import audit
from neurosim.audit.target import of_rule
from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
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

        yield Step("compared", "error units compare", "e = f(z1, z2)", {"view1": units.view1, "view2": units.view2},
                   {"error2": units.error2}, sums={"value": units.value}, function=kernel)  # fmt: skip


class After(Hinge):
    """The hinge, and then something is done to its error."""

    def __init__(self, function, **reads):
        super().__init__(lags=3)
        self.function, self.more = function, reads

    def wire(self, units):
        yield from super().wire(units)

        def kernel(error, **more):
            error[...] = self.function(error, **more)

        yield Step("after", "the error is worked on", "e = f(e)", {k: b(units) for k, b in self.more.items()},
                   updates={"error": units.error2}, function=kernel)  # fmt: skip


def test_a_loss_of_sums_and_signs_is_plausible(build):
    report = audit(build("rf", loss=Compared(lambda a, b: np.sign(b - a))))
    assert report.exit_code == 0, report.text()
    report = audit(build("rf", loss=After(lambda error: 0.5 * error)))
    assert report.exit_code == 0, report.text()


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
    report = caught(build("rf", loss=Compared(function)), "ii", "behaviour operations")
    assert any(f.by == "operations" and word in f.text for f in report.findings), report.text()


def test_normalised_error(build, caught):
    report = caught(build("urf", loss=After(lambda error: error / np.linalg.norm(error, axis=1, keepdims=True))), "ii",
                    "behaviour operations")  # fmt: skip
    assert any("norm" in f.text or "divide" in f.text for f in report.findings)


def test_error_normalised_over_the_batch(build, caught):
    report = caught(build("rf", loss=Compared(lambda a, b: (b - b.mean(axis=0)) / b.std(axis=0))), "ii", "behaviour operations")
    assert any("not strictly local in time" in line for line in report.assumed)


@pytest.mark.parametrize(("loss", "word"), [("simclr", "divide"), ("barlow", "variance")])
def test_published_losses_fail_by_the_name_of_an_operation(build, loss, word):
    report = audit(build("ll", loss=make_loss(loss)))
    assert "ii" in report.violated and "(ii)" in report.line()
    told = [f.text for f in report.findings if f.condition == "ii" and f.by == "operations"]
    assert any(word in line and ".py:" in line for line in told)
    assert {"behaviour", "operations"} <= {f.by for f in report.findings if f.condition == "ii"}


# -- time


NOT_STRICT = [
    ("ll", {"block": False}, "view 1 is past when view 2 comes"),
    ("urf", {"block": False}, "view 2 of moment 4 replaced: ez3 of view 1"),
    ("ll", {"loss": ("hinge", {"lags": None})}, "later moments included"),
    ("rf", {"loss": ("hinge-mean", {})}, "view 1 of moment 4 replaced"),
    ("dtp", {"loss": ("hinge-mean", {}), "block": False}, "as if all of them were remembered"),
]


@pytest.mark.parametrize(("rule", "options", "words"), NOT_STRICT, ids=[f"{r}-{'-'.join(o)}" for r, o, _ in NOT_STRICT])
def test_comparison_of_a_whole_batch_is_told(build, rule, options, words):
    """Declared, it breaks no condition; and the report says that the rule is not strictly local in time."""
    options = dict(options)
    if "loss" in options:
        options["loss"] = make_loss(options["loss"][0], **options["loss"][1])
    report = audit(build(rule, **options))
    assert report.exit_code == 0, report.text()
    assert report.line().startswith("plausible, not strictly local in time")
    assert any(line.startswith("not strictly local in time") and words in line for line in report.assumed), report.assumed
    assert report.text().splitlines()[-1] == "verdict: plausible, not strictly local in time"


def test_the_local_form_is_strict(build):
    report = audit(build("ll"))
    assert report.line().startswith("plausible: ") and not any("time" in line for line in report.assumed)
    assert audit(build("ll", loss=make_loss("positive"))).line().startswith("plausible: ")


def test_the_mean_over_the_active_divides_by_a_count(build):
    report = audit(build("rf", loss=make_loss("hinge-mean")))
    assert any(line.startswith("count: ") for line in report.assumed)


def test_a_leak_in_time_beside_a_declared_comparison(build, caught):
    """All moments are compared, as declared; that a gate mixes them, too, is not."""
    from neurosim.rules.rf import RandomFeedback

    class Mixed(RandomFeedback):
        def wire(self, phase):
            for step in super().wire(phase):
                yield step
                if step.kernel == "gate":
                    [post] = step.writes.values()
                    yield Step("mix", "moments are mixed", "d = d + next d", {}, updates={"post": post},
                               function=lambda post: np.add(post, np.roll(post, -1, axis=0), out=post))  # fmt: skip

    caught(build(Mixed, loss=make_loss("hinge", lags=None)), "i", "behaviour")


def test_update_from_future_activity(build, caught):
    """The memory is asked for moments that have not come yet: the index is one ahead."""

    class Ahead(Hinge):
        def wire(self, units):
            units.index._initial = np.minimum(np.arange(units.pairs) + 1, units.pairs - 1)
            yield from super().wire(units)

    report = audit(build("rf", loss=Ahead(lags=3)))
    assert ("i", "behaviour") in {(f.condition, f.by) for f in report.findings}, report.text()
    assert any("came before" in f.text for f in report.findings)


def test_memory_older_than_its_lags(build, caught):
    """The rule says three lags, the kernel looks four back."""

    class Longer(Hinge):
        def wire(self, units):
            for step in super().wire(units):
                scalars = {**step.scalars, "lags": 4} if step.kernel == "hinge_lags" else step.scalars
                yield Step(step.kernel, step.label, step.equation, step.reads, step.writes, step.updates, step.sums, scalars,
                           step.over)  # fmt: skip
            units.memory.trace.base.shape = (units.pairs + 3, *units.memory.trace.shape[1:])

    caught(build("rf", loss=Longer(lags=3)), "i", "behaviour")


# -- labels


def labels_of(role, values=None):
    def make(units):
        return Buffer("labels", ("moment",), (units.pairs,), role, "teacher", np.int64, initial=values)

    return make


def pull(error, labels):
    return error + labels[:, None]


def test_label_leak(build, caught):
    caught(build("rf", loss=After(pull, labels=labels_of("label"))), "iv", "structure behaviour")


def test_label_leak_into_the_memory_of_the_next_batch(build, caught):
    """The label is kept for a batch before it is used."""

    class Later(Hinge):
        def wire(self, units):
            kept = Buffer("kept", ("moment",), (units.pairs,), "memory", "teacher", np.int64)
            yield from super().wire(units)
            yield Step("use", "the error hears what was kept", "e = e + kept", {"kept": kept}, updates={"error": units.error2},
                       function=lambda kept, error: np.add(error, kept[:, None], out=error))  # fmt: skip
            yield Step("keep", "labels are kept", "kept = labels", {"labels": labels_of("label")(units)}, {"kept": kept},
                       function=lambda labels, kept: np.copyto(kept, labels))  # fmt: skip

    caught(build("rf", loss=Later(lags=3)), "iv", "structure behaviour")


@pytest.mark.parametrize("role", ["value", "activity", "gate", "error"])
def test_label_under_another_name(build, caught, role):
    """No run can tell that a number is a label: only that nothing made it."""
    report = caught(build("rf", loss=After(pull, labels=labels_of(role, [3, 1, 2, 1]))), "iv", "structure")
    assert report.disagreements()


def test_label_painted_into_the_picture(build, caught):
    """The plan is innocent; the pictures are not."""
    subject = of_rule(build("ll"))
    show, labels = subject.show, np.array([3, 1, 2, 1])

    def paint(batch):
        show(batch)
        images = next(b for b in subject.plans["all layers"].buffers if b.name == "images").array
        images[:4, 0, 0, 0] = images[4:, 0, 0, 0] = 60 * labels

    subject.show, subject.labels = paint, labels
    report = caught(subject, "iv", "behaviour")
    assert "outside the plan" in report.disagreements()[0]


def test_label_at_a_unit_of_a_layer(build):
    """A label joins the activity: everything above is no longer caused by the picture alone."""
    from neurosim.rules.rf import RandomFeedback

    class Told(RandomFeedback):
        def wire(self, phase):
            labels = Buffer("labels", ("sample",), (2 * self.network.pairs,), "label", "teacher", np.int64)
            for step in super().wire(phase):
                yield step
                if step.label == "layer 1 responds":
                    x = self.network.populations[1].activity
                    yield Step("join", "a label joins", "x = x + label", {"labels": labels}, updates={"activity": x},
                               function=lambda labels, activity: np.add(activity, labels.reshape(-1, 1, 1, 1),
                                                                        out=activity))  # fmt: skip

    report = audit(build(Told))
    assert {("iv", "structure"), ("iv", "behaviour")} <= {(f.condition, f.by) for f in report.findings}, report.text()
    assert report.line().startswith("violated") and report.exit_code == 1
