"""dtp: every inverse and every layer descends its own loss, by central differences of a network written down again."""

import numpy as np
import pytest

from neurosim.core.kernel import Kind
from neurosim.errors import WiringError
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.plasticity.sgd import SGD
from neurosim.rules import make

STEP = 1e-6
PHI = {"hardtanh": lambda u: np.clip(u, -1, 1), "tanh": np.tanh, "linear": lambda u: u}
TEXTS = [
    "3 bias tanh pool, 4 bias tanh pool, head bias tanh",
    "3 hardtanh, 4 pool, 3 bias hardtanh",
    "4 tanh pool, 3 linear, head hardtanh",
    "3 local tanh pool, 3 local bias hardtanh, head average tanh",
]
WAYS = [(text, top, block) for text in TEXTS for top in ("target", "transport") for block in (True, False)]


def windows(x, rows, columns, stride):
    """The 3 x 3 places around every (strided) place of a padded map, ``(view, row, column, tap, channel)``."""
    wide = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    taps = [
        wide[:, i : i + stride * rows : stride, j : j + stride * columns : stride] for i in range(3) for j in range(3)
    ]
    return np.stack(taps, 3)


def up(x, weight, rows, columns):
    """A transposed convolution of stride 2, as the transpose of the strided windows' matrix."""
    n, small_rows, small_columns, _ = x.shape
    sent = np.einsum("nrck,tko->nrcto", x, weight.reshape(9, *weight.shape[2:]))
    total = np.zeros((n, rows + 2, columns + 2, weight.shape[3]))
    for t in range(9):
        i, j = divmod(t, 3)
        total[:, i : i + 2 * small_rows : 2, j : j + 2 * small_columns : 2] += sent[:, :, :, t]
    return total[:, 1:-1, 1:-1]


def forward(x, weights, layer):
    """f: activity above, and the sides of every corner on the way."""
    weight, bias, sides = weights[0], weights[1] if len(weights) > 1 else 0, []
    if weight.ndim == 2:
        if x[0].size == 4 * len(weight):  # a head that averages
            x = (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4
        u = x.reshape(len(x), -1) @ weight + bias
    elif weight.ndim == 6:
        untied = weight.reshape(*weight.shape[:2], 9, *weight.shape[4:])
        u = np.einsum("nrctk,rctko->nrco", windows(x, *x.shape[1:3], 1), untied) + bias
    else:
        u = np.einsum("nrctk,tko->nrco", windows(x, *x.shape[1:3], 1), weight.reshape(9, *weight.shape[2:])) + bias
    if layer[1]:
        n, rows, columns, channels = u.shape
        u = (
            u.reshape(n, rows // 2, 2, columns // 2, 2, channels)
            .swapaxes(2, 3)
            .reshape(n, rows // 2, columns // 2, 4, channels)
        )
        sides.append(u.argmax(3))
        u = u.max(3)
    return PHI[layer[0]](u), [*sides, np.abs(u) < 1]


def restore(x, weights, below):
    """g: the activity below, restored; ``below`` is the population that it resembles."""
    weight, bias = weights
    if weight.ndim == 2:
        u = (x @ weight + bias).reshape(len(x), *below.shape)
    elif x.shape[1] == below.shape[0]:
        u = np.einsum("nrctk,tko->nrco", windows(x, *x.shape[1:3], 1), weight.reshape(9, *weight.shape[2:])) + bias
    else:
        u = up(x, weight, *below.shape[:2]) + bias
    return PHI[below.nonlinearity](u), [np.abs(u) < 1]


def slopes(loss, synapse):
    """Central differences of ``loss() -> (value, sides)`` by every weight; NaN where a corner lies within the step."""
    weight, found = synapse.weight.array, np.full(synapse.shape, np.nan)
    for index in np.ndindex(weight.shape):
        kept = weight[index]
        weight[index] = kept + STEP
        above, sides = loss()
        weight[index] = kept - STEP
        below, others = loss()
        weight[index] = kept
        if all(np.array_equal(a, b) for a, b in zip(sides, others, strict=True)):
            found[index] = (above - below) / (2 * STEP)
    assert np.isnan(found).mean() < 0.05
    return found


def agree(synapse, loss):
    wanted = slopes(loss, synapse)
    smooth = ~np.isnan(wanted)
    assert np.abs(wanted[smooth]).max() > 0
    assert np.abs(synapse.change.array - wanted)[smooth].max() < 1e-6 * max(1e-3, np.abs(wanted[smooth]).max()), (
        synapse.name
    )


@pytest.fixture
def learned(build, show, run):
    """Gives a rule after one step with noise, its activities held; loss with active comparisons of both kinds."""

    def learned(text, top="target", block=True, **options):
        loss = make_loss("hinge", lags=None, threshold=1.2, delta=0.6)
        rule = build("dtp", text=text, loss=loss, block=block, gain=1.3, top=top, **options)
        show(rule)
        rule.draw(2, 5)
        run(rule)
        return rule

    return learned


def kind_of(population):
    return population.nonlinearity, population.pooled


@pytest.mark.parametrize(("text", "top", "block"), WAYS)
def test_every_inverse_descends_its_own_reconstruction_loss(learned, text, top, block):
    rule = learned(text, top, block, noise=0.3)
    assert len(rule.inverses) == len(rule.network) - (top == "transport")
    for inverse in rule.inverses:
        noisy = inverse.below.active_part.array + 0.3 * inverse.noise[0].array
        ahead = [s.weight.array for s in inverse.projection.synapses]

        def loss(inverse=inverse, noisy=noisy, ahead=ahead):
            above, _ = forward(noisy, ahead, kind_of(inverse.above))
            restored, sides = restore(above, [s.weight.array for s in inverse.synapses], inverse.below)
            return np.mean((restored - noisy) ** 2), sides

        assert abs(loss()[0] - inverse.value.array[0]) < 1e-12
        for synapse in inverse.synapses:
            agree(synapse, loss)


@pytest.mark.parametrize(("text", "top", "block"), WAYS)
def test_every_layer_descends_its_own_target_loss(learned, text, top, block):
    rule = learned(text, top, block)
    learners = rule.network.projections + [rule.head] * (
        top == "target"
    )  # transported: the head descends the loss itself
    for projection in learners:
        target = rule.targets[projection.post].activity.array.copy()

        def loss(projection=projection, target=target):
            weights = [s.weight.array for s in projection.synapses]
            x, sides = forward(projection.pre.whole.active_part.array, weights, kind_of(projection.post))
            return np.mean((x - target) ** 2), sides

        assert abs(loss()[0] - rule.targets[projection.post].value.array[0]) < 1e-12
        for synapse in projection.synapses:
            agree(synapse, loss)


@pytest.mark.parametrize("text", TEXTS)
def test_targets_are_the_activity_corrected_by_the_inverse(learned, text):
    rule = learned(text)
    z, error = rule.head.post.active_part.array, rule.error.error2.array
    for inverse in rule.inverses:
        weights = [s.weight.array for s in inverse.synapses]
        x, t = inverse.above.active_part.array, rule.targets[inverse.above].activity.array
        wanted = restore(t, weights, inverse.below)[0] - restore(x, weights, inverse.below)[0]
        wanted += inverse.below.active_part.array
        np.testing.assert_allclose(rule.targets[inverse.below].activity.array, wanted, rtol=0, atol=1e-12)
    # The error array now holds how far the head is from its target: 2/n step e.
    np.testing.assert_allclose(error, 2 / z.size * (z - rule.targets[rule.head.post].activity.array), atol=1e-12)
    assert np.abs(z - rule.targets[rule.head.post].activity.array).max() >= 0.5


def test_no_error_means_that_targets_are_the_activities_and_nothing_changes(build, show, run):
    quiet = make_loss("hinge", lags=None, threshold=50, delta=50)  # m+ = 0, m- = 100
    silent = make_loss("hinge", lags=None, threshold=0, delta=0)
    for loss, still in ((silent, True), (quiet, False)):
        rule = build("dtp", text=TEXTS[0], loss=loss)
        x = show(rule)
        x[3:] = x[:3]
        rule.draw(0, 0)
        run(rule)
        for population, target in rule.targets.items():
            assert np.array_equal(target.activity.array, population.active_part.array) == still
        for projection in (*rule.network.projections, rule.head):
            assert all(np.any(s.change.array) != still for s in projection.synapses)
        assert all(np.any(s.change.array) for inverse in rule.inverses for s in inverse.synapses)


def test_without_noise_inverses_restore_what_is_there(learned, run):
    rule = learned(TEXTS[0], noise=0.0)
    before = [s.change.array.copy() for i in rule.inverses for s in i.synapses]
    for inverse in rule.inverses:
        assert np.array_equal(inverse.noisy.activity.array, inverse.below.active_part.array)
    rule.draw(3, 1)
    run(rule)
    for change, again in zip(before, (s.change.array for i in rule.inverses for s in i.synapses), strict=True):
        assert np.array_equal(change, again)


def test_noise_is_a_function_of_seed_epoch_and_batch(build):
    def drawn(seed, epoch, batch):
        rule = build("dtp", text=TEXTS[0], seed=seed, inverse_steps=2)
        rule.draw(9, 9)
        rule.draw(epoch, batch)
        return np.concatenate([noise.array.ravel() for i in rule.inverses for noise in i.noise])

    first = drawn(1, 2, 3)
    assert np.array_equal(first, drawn(1, 2, 3))
    assert abs(first.mean()) < 0.15 and abs(first.std() - 1) < 0.15
    for other in (drawn(2, 2, 3), drawn(1, 3, 3), drawn(1, 2, 4)):
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.2
    assert len(np.unique(first)) == len(first)  # every array of every inverse has numbers of its own


@pytest.mark.parametrize("top", ["target", "transport"])
def test_only_the_published_top_reads_a_forward_weight_once_errors_are_there(build, top):
    plan = build("dtp", text=TEXTS[0], top=top).plan("all layers")
    start = next(n for n, step in enumerate(plan) if "error2" in step.changed)
    read = {b.name for step in plan.steps[start:] for b in step.reads.values() if b.role == "forward weight"}
    assert read == ({"H2"} if top == "transport" else set())


def test_inverses_change_by_their_own_outer_products_alone(build):
    plan = build("dtp", text=TEXTS[1], inverse_steps=3).plan("all layers")
    for step in plan:
        for buffer in step.changed.values():
            if buffer.role == "inverse weight":
                assert step.reads["change"].base.name == f"d{buffer.name}"
            if buffer.role == "change":
                assert set(step.reads) == {"pre", "post"} and step.kernel.kind is Kind.HEBBIAN
    assert sum(b.name == "G2" for step in plan for b in step.updates.values()) == 3


def test_the_wiring_listed_is_the_wiring_built():
    own = "(an inverse with weights of its own, learned by its own outer products)"
    network = Network("4 hardtanh, 4 pool", (4, 4, 3), 2)
    assert make("dtp", network, make_loss("hinge")).wiring() == [f"Q2: tz2 -> t2 {own}", f"G2: t2 -> t1 {own}"]
    network = Network("4 hardtanh, 4 pool", (4, 4, 3), 2)
    assert make("dtp", network, make_loss("hinge"), top="transport").wiring() == [
        "H2: ez2 -> layer 2 (bp: the transposed forward weights)",
        f"G2: t2 -> t1 {own}",
    ]


@pytest.mark.parametrize(
    "given", [{"top": "middle"}, {"noise": float("nan")}, {"target_step": 0.0}, {"inverse_steps": 0}]
)
def test_options_out_of_range_are_refused(given):
    with pytest.raises(WiringError, match="expected"):
        make("dtp", Network("4 tanh", (4, 4, 3), 2), make_loss("hinge"), **given)


def test_one_layer_has_the_head_s_inverse_alone(build, show, run):
    rule = build("dtp", text="4 tanh pool")
    assert [i.synapse.name for i in rule.inverses] == ["Q1"]
    show(rule)
    rule.draw(0, 0)
    run(rule)
    assert np.any(rule.network.projections[0].synapse.change.array)


def test_inverses_that_are_not_there_cannot_begin_alone(build):
    rule = build("dtp", text="4 tanh pool", top="transport", inverse_first=2)
    assert rule.inverses == []
    with pytest.raises(WiringError, match="plan 'inverses' has no steps; expected at least one"):
        rule.plan("inverses")


def test_inverses_may_begin_alone(build, show, run):
    rule = build("dtp", text=TEXTS[0], inverse_first=2, plasticity=SGD(0.1))
    phases = [rule.phase(epoch, batch, 2) for epoch in range(2) for batch in range(4)]
    assert phases == ["inverses"] * 2 + ["all layers"] * 6
    assert rule.errors_of("inverses") == [] and rule.errors_of("all layers") == [rule.error]
    before = {s.name: s.weight.array.copy() for s in rule.synapses()}
    show(rule)
    rule.draw(0, 0)
    run(rule, "inverses")
    changed = {s.name for s in rule.synapses() if not np.array_equal(s.weight.array, before[s.name])}
    assert changed == {s.name for inverse in rule.inverses for s in inverse.synapses} == {"G2", "bG2", "Q2", "bQ2"}
    assert build("dtp").phases == ("all layers",)
