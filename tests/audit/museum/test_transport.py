"""Museum: weight transport by other ways. Each is caught by condition (iii), or by what it declares."""

import numpy as np
import pytest
from own_kernels import own_step, sent_of

from neurosim.audit import check
from neurosim.core.buffer import Buffer
from neurosim.parts.feedback import Feedback, UpdatedFeedback


def test_through_the_state_of_an_optimiser(build, rigged, own, caught):
    """The trace of B is filled with W: momentum carries it over."""

    class Traced(UpdatedFeedback):
        def apply_update(self):
            trace = self.synapse.state["trace"]
            yield own_step(
                "fill",
                sent_of(np.negative),
                "the trace is filled",
                "m = -W",
                reads={"weight": self.projection.synapse.weight},
                writes={"sent": trace},
            )
            yield from super().apply_update()

    caught(build(rigged(lambda n, p: Traced(p, own(n, p, True)))), "iii", "structure behaviour")


def test_through_the_memory(build, rigged, own, caught):
    """W lies in a memory from one batch to the next, and comes out as B."""

    class Remembered(Feedback):
        def __init__(self, projection, synapse):
            super().__init__(projection, synapse)
            weight = projection.synapse.weight
            self.ring = Buffer(
                f"ring {weight.name}", weight.axes, weight.shape, "memory", "ring", weight.dtype, lasts=True
            )

        def deliver(self):
            yield own_step(
                "recall",
                sent_of(lambda w: w),
                "the memory is recalled",
                "B = M",
                reads={"weight": self.ring},
                writes={"sent": self.synapse.weight},
            )
            yield from super().deliver()

        def apply_update(self):
            yield own_step(
                "keep",
                sent_of(lambda w: w),
                "the memory keeps W",
                "M = W",
                reads={"weight": self.projection.synapse.weight},
                writes={"sent": self.ring},
            )

    found = {(f.condition, f.by) for f in check(build(rigged(lambda n, p: Remembered(p, own(n, p))))).findings}
    assert {("iii", "structure"), ("iii", "behaviour")} <= found
    assert {c for c, _ in found} <= {"i", "iii"}  # B is overwritten by a memory: no outer product either


def through(post, weight, error):
    np.matmul(post, weight.T, out=error)


class Probed(Feedback):
    """A helper population is shown every unit of the layer in turn; what it answers is W."""

    def __init__(self, projection, synapse, direct):
        super().__init__(projection, synapse)
        h, w = projection.synapse.name, projection.synapse.weight
        self.direct, rows = direct, int(np.prod(w.shape[:-1]))
        self.one = Buffer(
            f"probe {h}",
            ("unit", "presynaptic"),
            (rows, rows),
            "activity",
            "helper",
            w.dtype,
            given=True,
            initial=np.eye(rows),
        )
        self.answer = Buffer(
            f"answer {h}", ("unit", "postsynaptic"), (rows, w.shape[-1]), "activity", "helper", w.dtype
        )

    def deliver(self):
        if not self.direct:
            yield self.ask()
            yield self.copy()
            yield from super().deliver()
        elif len(self.synapse.shape) == 2:
            yield self.ask()
            [step] = super().deliver()
            reads = {**step.reads, "weight": self.answer}
            yield own_step("through", through, step.label, step.equation, reads, step.writes)
        else:
            yield from super().deliver()

    def ask(self):
        def kernel(presynaptic, weight, potential):
            np.matmul(presynaptic, weight.reshape(potential.shape), out=potential)

        reads = {"presynaptic": self.one, "weight": self.projection.synapse.weight}
        return own_step("ask", kernel, "the helper answers", "h = W 1", reads, {"potential": self.answer})

    def copy(self):
        kernel = sent_of(lambda w: w.reshape(self.synapse.shape))
        sent = {"sent": self.synapse.weight}
        return own_step("copy", kernel, "B is what the helper answers", "B = h", {"weight": self.answer}, sent)


@pytest.mark.parametrize("direct", [True, False], ids=["answers as weights", "answers copied"])
def test_through_a_helper_population(build, rigged, own, direct):
    verdict = check(build(rigged(lambda n, p: Probed(p, own(n, p), direct))))
    assert {("iii", "structure"), ("iii", "behaviour")} <= {(f.condition, f.by) for f in verdict.findings}
    assert set(verdict.violated) <= {"i", "ii", "iii"}  # weights of role activity are multiplied like activities


def test_through_a_number_of_another_role(build, rigged, own, caught):
    """One figure of W scales the error: a buffer that calls itself a value carries it."""

    class Scaled(Feedback):
        def __init__(self, projection, synapse):
            super().__init__(projection, synapse)
            self.size = Buffer(f"size {synapse.name}", ("one",), (1,), "value", "nobody", np.float32)

        def deliver(self):
            [step] = super().deliver()
            error = step.writes["error"]
            yield own_step(
                "measure",
                sent_of(lambda w: np.abs(w).sum(keepdims=True).reshape(-1)),
                "how large W is",
                "s = |W|",
                reads={"weight": self.projection.synapse.weight},
                writes={"sent": self.size},
            )
            yield step
            yield own_step(
                "scale",
                lambda size, error: np.multiply(error, size, out=error),
                "the error is scaled",
                "e = s e",
                reads={"size": self.size},
                updates={"error": error},
            )

    found = {(f.condition, f.by) for f in check(build(rigged(lambda n, p: Scaled(p, own(n, p))))).findings}
    assert {("iii", "structure"), ("iii", "behaviour")} <= found


def test_weights_of_another_layer_are_transported_too(build, rigged, own, caught):
    class Mistaken(Feedback):
        """Sends through W of the layer below."""

        def __init__(self, network, projection):
            super().__init__(projection, own(network, projection))
            number = projection.pre.number
            self.other = network.projections[number - 1].synapse.weight if projection.convolution else None

        @property
        def sent(self):
            return self.other or self.synapse.weight

    caught(build(rigged(Mistaken)), "iii", "structure behaviour")


def test_a_gate_that_knows_the_weights(build, rigged, own, caught):
    """The derivative is right, and a forward weight rides along."""

    class Gated(Feedback):
        def deliver(self):
            yield from super().deliver()
            below = self.projection.pre
            yield own_step(
                "tilt",
                lambda weight, error: np.add(error, weight.mean(), out=error),
                "the error is tilted",
                "e = e + mean W",
                reads={"weight": self.projection.synapse.weight},
                updates={"error": below.error},
            )

    found = {(f.condition, f.by) for f in check(build(rigged(lambda n, p: Gated(p, own(n, p))))).findings}
    assert {("iii", "structure"), ("iii", "behaviour")} <= found


def test_an_undeclared_read(build, rigged, own, caught):
    """The step declares B, and its kernel reads W: the graph cannot know."""

    class Thief(Feedback):
        def deliver(self):
            [step] = super().deliver()
            hidden = self.projection.synapse.weight

            def kernel(post, weight, error):
                error[...] = hidden.array.mean() + weight.mean() + post.mean()

            yield own_step("steal", kernel, step.label, step.equation, reads=step.reads, writes=step.writes)

    verdict = check(build(rigged(lambda n, p: Thief(p, own(n, p)))))
    found = {(f.condition, f.by) for f in verdict.findings}
    assert {("declared", "behaviour"), ("iii", "behaviour")} <= found
    assert not {c for c, by in found if by == "structure"} & {"declared", "iii"}
    assert any("declar" in line for line in verdict.disagreements())


def test_an_undeclared_write(build, rigged, own, caught):
    class Vandal(Feedback):
        def deliver(self):
            [step] = super().deliver()
            weight = self.synapse.weight

            yield step
            spare = Buffer(f"spare {self.synapse.name}", ("one",), (1,), "memory", "vandal", lasts=True)
            yield own_step(
                "vandal",
                lambda post, spare: (spare.fill(0), weight.array.fill(0.5)),
                "nothing, it says",
                "0 = 0",
                reads={"post": self.projection.post.post},
                writes={"spare": spare},
            )

    caught(build(rigged(lambda n, p: Vandal(p, own(n, p)))), "declared", "behaviour")
