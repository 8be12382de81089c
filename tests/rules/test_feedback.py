"""Feedback: whose array carries the error, what changes it, and what does not."""

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.losses import make as make_loss
from neurosim.plasticity.adam import Adam
from neurosim.plasticity.momentum import Momentum
from neurosim.plasticity.sgd import SGD
from neurosim.plasticity.signum import Signum

cpu, reference = Backend("cpu"), Backend("reference")

WIRINGS = [
    *((kind, {}) for kind in ("bp", "rf", "urf", "sign")),
    *(
        ("ll", {"order": order, "feedback": kind})
        for order in ("greedy", "simultaneous")
        for kind in ("bp", "rf", "urf", "sign")
    ),
]
IDS = ["-".join([n, *o.values()]) for n, o in WIRINGS]
OWNING = [(n, o, i) for (n, o), i in zip(WIRINGS, IDS, strict=True) if "bp" not in i]


MARGINS = {"threshold": 1.5, "delta": 0.75}


def kind_of(name, options):
    return options.get("feedback", name)


def arrays(synapse):
    """Every array of one synapse."""
    held = [synapse.weight] + ([synapse.change, *synapse.state.values()] if synapse.plasticity else [])
    return [buffer.array for buffer in held]


def unfolded(post):
    """``(sample, window, row, column, channel)`` put back at its places; the rest as it is."""
    if post.ndim != 5:
        return post
    n, _, rows, columns, channels = post.shape
    return post.reshape(n, 2, 2, rows, columns, channels).transpose(0, 3, 1, 4, 2, 5).reshape(n, 2 * rows, -1, channels)


def outer(pre, post):
    """Sum over samples (and places) of pre outer post, from the stored activities alone."""
    post = unfolded(post)
    if post.ndim == 2:
        return np.einsum("nk,nd->kd", pre.reshape(len(pre), -1), post)
    rows, columns = post.shape[1:3]
    wide = np.pad(pre, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return np.array(
        [[np.einsum("nrck,nrco->ko", wide[:, i : i + rows, j : j + columns], post) for j in range(3)] for i in range(3)]
    )


@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=IDS)
def test_only_bp_shares_the_forward_weights_memory(build, name, options):
    rule = build(name, **options)
    assert rule.feedbacks
    forward = [p.synapse for p in (*rule.network.projections, *(rule.network.head(n) for n in rule.errors))]
    for back in rule.feedbacks:
        own, along = back.synapse, back.projection.synapse
        if kind_of(name, options) == "bp":
            assert back.sent is along.weight
            assert list(back.learn()) == []
            continue
        assert own is not along
        for synapse in forward:
            for a in (*arrays(own), back.sent.array):
                assert not any(np.shares_memory(a, b) for b in arrays(synapse))
        assert not np.array_equal(own.weight.array, along.weight.array)


@pytest.mark.parametrize(("name", "options", "_id"), OWNING, ids=[i for _, _, i in OWNING])
def test_no_step_of_feedback_touches_forward_weights(build, name, options, _id):
    """Forward weights are read by transmission and changed by their own plasticity, by nothing else."""
    rule = build(name, plasticity=Signum(), **options)
    forward = {id(p.synapse.weight): p.synapse.name for p in rule.network.projections}
    forward |= {id(rule.network.head(n).synapse.weight): f"H{n}" for n in rule.errors}
    for phase in rule.phases:
        for step in rule.plan(phase):
            met = {id(b.base) for b in step.buffers.values()} & forward.keys()
            assert not met or step.kernel.name in ("convolve", "dense", "signum"), step.label


@pytest.mark.parametrize("block", [True, False], ids=["block", "free"])
@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=IDS)
def test_every_change_is_the_outer_product_of_its_own_pre_and_post(build, show, run, name, options, block):
    rule = build(name, block=block, **options)
    x0 = show(rule)
    for phase in rule.phases:
        plan = run(rule, phase)
        changed = {b.name for b in plan.buffers if b.role == "change"}
        paths = [*rule.network.projections, *(rule.network.head(n) for n in rule.errors)]
        paths += [back.projection for back in rule.feedbacks]
        synapses = [p.synapse for p in paths[: -len(rule.feedbacks)]] + [back.synapse for back in rule.feedbacks]
        met = set()
        for projection, synapse in zip(paths, synapses, strict=True):
            if synapse.plasticity and synapse.change.name in changed:
                met.add(synapse.change.name)
                pre = projection.pre.activity.array if projection.pre.number else x0
                post = projection.post.post.array
                wanted = outer(pre[len(pre) - len(post) :], post)
                assert wanted.any()
                np.testing.assert_allclose(synapse.change.array, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())
        assert met == changed


@pytest.mark.parametrize(("name", "options"), [w for w in WIRINGS if kind_of(*w) in ("urf", "sign")])
def test_feedback_s_change_is_a_product_of_its_own(build, show, run, name, options):
    """dB equals dW, and yet comes from its own hebbian step: with W's array taken away nothing of it changes."""
    rule = build(name, **options)
    show(rule)
    for phase in rule.phases:
        plan = run(rule, phase)
        taught = {b.name for b in plan.buffers}
        for back in (b for b in rule.feedbacks if b.synapse.name in taught):
            own, along = back.synapse.change, back.projection.synapse.change
            np.testing.assert_allclose(own.array, along.array, rtol=0, atol=1e-13)
            assert not np.shares_memory(own.array, along.array)
            makers = [step for step in plan if own in step.changed.values()]
            assert [step.kernel.kind for step in makers] == ["hebbian"]
            assert {b.base.role for b in makers[0].reads.values()} == {"activity", "error"}
            assert along not in makers[0].buffers.values()


@pytest.mark.parametrize("name", ["rf", "ll"])
def test_rf_keeps_its_weights_bit_for_bit(build, show, run, name):
    options = {"feedback": "rf"} if name == "ll" else {}
    rule = build(name, plasticity=Adam(0.01, decay=0.1), **options)
    assert all(b.synapse.plasticity is None for b in rule.feedbacks)
    before = {b.synapse.name: b.synapse.weight.array.tobytes() for b in rule.feedbacks}
    forward = [p.synapse.weight.array.copy() for p in rule.network.projections]
    for batch in range(4):
        show(rule, batch)
        run(rule)
    assert {b.synapse.name: b.synapse.weight.array.tobytes() for b in rule.feedbacks} == before
    assert not any(
        np.array_equal(a, p.synapse.weight.array) for a, p in zip(forward, rule.network.projections, strict=True)
    )


@pytest.mark.parametrize("kind", ["urf", "sign"])
def test_learned_feedback_approaches_the_forward_weights(build, show, run, kind):
    """The same changes to both, a decay of both: ``W - B`` shrinks by ``1 - rate decay`` a step (Amit 2019)."""
    rule = build(kind, plasticity=SGD(0.01, decay=5.0))

    def gaps():
        return [back.projection.synapse.weight.array - back.synapse.weight.array for back in rule.feedbacks]

    before, start = gaps(), [back.synapse.weight.array.copy() for back in rule.feedbacks]
    for batch in range(5):
        show(rule, batch)
        run(rule)
    for gap, first, back, weight in zip(gaps(), before, rule.feedbacks, start, strict=True):
        np.testing.assert_allclose(gap, 0.95**5 * first, rtol=0, atol=1e-12)
        assert np.abs(back.synapse.weight.array - 0.95**5 * weight).max() > 1e-3  # and B did learn


def test_sign_sends_signs_and_nothing_else(build, show, run):
    """Scaling B by any positive number changes no error; and what is sent down is one size with a sign."""
    rule, scaled = build("sign"), build("sign")
    for number, back in enumerate(scaled.feedbacks):
        back.synapse.weight.array[...] *= 3.0**number + np.random.default_rng(3).uniform(0, 9, back.synapse.shape)
        back.synapse.weight.array[..., 0] = 0
        rule.feedbacks[number].synapse.weight.array[..., 0] = 0
    for r in (rule, scaled):
        show(r)
        run(r)
    for one, other in zip(rule.feedbacks, scaled.feedbacks, strict=True):
        size = 1 / np.sqrt(one.synapse.fan_in)
        assert set(np.round(one.sent.array.ravel() / size, 12)) == {-1.0, 0.0, 1.0}
        assert np.array_equal(np.sign(one.synapse.weight.array), np.sign(one.sent.array))
        below = one.projection.pre.error.array
        assert below.any()
        assert np.array_equal(below, other.projection.pre.error.array)


@pytest.mark.parametrize(
    "loss",
    [("hinge", {"lags": 3, **MARGINS}), ("hinge", {"lags": None, **MARGINS}), ("simclr", {"temperature": 0.5})],
    ids=["lags", "all", "simclr"],
)
@pytest.mark.parametrize("block", [True, False], ids=["block", "free"])
@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=IDS)
def test_whole_plan_agrees_with_the_naive_kernels(build, show, run, name, options, block, loss):
    fast, naive = (
        build(
            name,
            text="2 hardtanh, 3 tanh pool",
            pairs=2,
            units=3,
            block=block,
            loss=make_loss(loss[0], **loss[1]),
            plasticity=Momentum(0.01, decay=0.1),
            **options,
        )
        for _ in range(2)
    )
    for phase in fast.phases:
        for rule in (fast, naive):
            show(rule)
        found, wanted = run(fast, phase, cpu, threads=2), run(naive, phase, reference)
        assert [b.name for b in found.buffers] == [b.name for b in wanted.buffers]
        for a, b in zip(found.buffers, wanted.buffers, strict=True):
            np.testing.assert_allclose(a.array, b.array, rtol=1e-10, atol=1e-11, err_msg=a.name)
