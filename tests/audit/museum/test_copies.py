"""Museum: feedback that is a copy of the forward weights, at the start, at every batch, or in memory."""

import numpy as np
import pytest
from own_kernels import builtin_step, own_step, sent_of

from neurosim.core.buffer import Buffer
from neurosim.parts.feedback import Feedback, UpdatedFeedback
from neurosim.parts.transported import TransportedFeedback


class Shared(Buffer):
    """A buffer that shows another one's memory under a name of its own."""

    def __init__(self, like, name, show):
        super().__init__(name, like.axes, like.shape, "feedback weight", name, like.dtype, lasts=True)
        self._like, self._show = like, show

    @property
    def array(self):
        return self._show(self._like.array)


class Sent(Feedback):
    """Feedback through an array that some steps make before it is sent."""

    def __init__(self, projection, synapse, steps):
        super().__init__(projection, synapse)
        self._steps = steps

    def deliver(self):
        yield from self._steps(self.projection.synapse.weight, self.synapse.weight)
        yield from super().deliver()


def made(function, word="copy", change=None):
    """Steps that make B of W at every batch, by a kernel of the rule's own."""

    def steps(weight, back):
        yield own_step(
            word,
            sent_of(function),
            f"{back.name} follows {weight.name}",
            f"{back.name} = {word}({weight.name})",
            reads={"weight": weight},
            writes={"sent": back},
        )

    return steps


def swapped(weight):
    return np.swapaxes(weight, -1, -2)


REFRESHED = {
    "copy": lambda w: w,
    "sign copy": np.sign,
    "scaled copy": lambda w: 0.3 * w,
    "noisy copy": lambda w: w + 0.01 * np.cos(1e4 * w),
    "flipped kernel": lambda w: w[::-1, ::-1],
    "one tap": lambda w: w * (np.arange(w.size).reshape(w.shape) == 0),
    "its mean": lambda w: np.full_like(w, w.mean()),
}


@pytest.mark.parametrize("disguise", REFRESHED)
def test_copy_refreshed_every_step(build, rigged, own, caught, disguise):
    rule = build(rigged(lambda n, p: Sent(p, own(n, p), made(REFRESHED[disguise], disguise))))
    verdict = caught(rule, "iii", "structure behaviour", "i")
    assert any(
        path.startswith("W3 -> B3 (") and "feedback into layer 2 -> update of W2, W1" in path for path in verdict.paths
    )


def test_sign_copy_by_the_package_s_own_kernel(build, rigged, own, caught):
    """Sign-symmetric feedback (Liao et al. 2016): the signs of the forward weights are transported."""

    def steps(weight, back):
        yield builtin_step(
            "send_sign",
            "signs of W",
            "B = sign(W)",
            {"weight": weight.line()},
            {"sent": back.line()},
            scalars={"scale": 0.2},
            over="synapse",
        )

    caught(build(rigged(lambda n, p: Sent(p, own(n, p), steps))), "iii", "structure behaviour", "i")


def test_transpose_refreshed_every_step(build, rigged, own, caught):
    square = lambda w: swapped(w) if w.shape[-1] == w.shape[-2] else w  # noqa: E731
    caught(build(rigged(lambda n, p: Sent(p, own(n, p), made(square)))), "iii", "structure behaviour", "i")


def test_urf_that_silently_builds_back_propagation(build, rigged, caught):
    class Silent(TransportedFeedback):
        kind = "urf"

    verdict = caught(build(rigged(lambda n, p: Silent(p))), "iii", "structure behaviour")
    assert any("declared urf" in f.text for f in verdict.findings)


@pytest.mark.parametrize(
    "show",
    [lambda w: w, lambda w: w[::-1], lambda w: w.reshape(-1).reshape(w.shape)],
    ids=["alias", "reversed view", "view"],
)
def test_alias_and_view(build, rigged, own, caught, show):
    class Sharing(Feedback):
        def __init__(self, network, projection):
            super().__init__(projection, own(network, projection))
            self.synapse.weight = Shared(projection.synapse.weight, self.synapse.name, show)

    verdict = caught(build(rigged(Sharing)), "iii", "structure behaviour symmetry")
    assert any("share memory" in f.text for f in verdict.findings)


STARTED = {
    "copy": lambda w: w,
    "transpose": lambda w: swapped(w) if w.shape[-1] == w.shape[-2] else w,
    "sign copy": lambda w: np.sign(w) * 0.1,
    "scaled copy": lambda w: 0.3 * w,
}


@pytest.mark.parametrize("learns", [False, True], ids=["rf", "urf"])
@pytest.mark.parametrize("disguise", STARTED)
def test_copy_at_the_start(build, rigged, own, caught, disguise, learns):
    """No step carries anything: only what the arrays hold gives it away, and the verdict says so."""

    def part(network, projection):
        synapse = own(network, projection, learns)
        synapse.weight.array[...] = STARTED[disguise](projection.synapse.weight.array)
        return (UpdatedFeedback if learns else Feedback)(projection, synapse)

    verdict = caught(build(rigged(part)), "iii", "symmetry")
    assert "numbers that the weights hold" in verdict.disagreements()[0]


def test_copy_at_the_end_of_a_batch_shows_in_the_next(build, rigged, own, caught):
    class Late(Feedback):
        def apply_update(self):
            yield from made(lambda w: w)(self.projection.synapse.weight, self.synapse.weight)

    caught(build(rigged(lambda n, p: Late(p, own(n, p)))), "iii", "structure behaviour", "i")
