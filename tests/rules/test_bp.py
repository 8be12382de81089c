"""bp's update is the derivative of the loss: central differences of a network written down again, in float64.

The second writing shares no line with neurosim: sums over shifted pictures, maxima over reshaped windows, and the
losses as they stand in the paper. Losses with corners are differentiated only where both neighbours lie on the same
side of every comparison, every hardtanh's end and every pool's winner, and nearly all weights must.
"""

from itertools import product

import numpy as np
import pytest

from neurosim.losses import make as make_loss

STEP = 1e-6
PHI = {
    "hardtanh": lambda u: np.clip(u, -1, 1),
    "tanh": np.tanh,
    "linear": lambda u: u,
    "rectified": lambda u: np.maximum(u, 0),
    "inhibited": lambda u: np.maximum(u, 0),
    "saturating": lambda u: np.clip(u, 0, 1),
}


def convolved(x, weight):
    (rows, columns), side = x.shape[1:3], len(weight)
    above, below = (side - 1) // 2, side // 2
    wide = np.pad(x, ((0, 0), (above, below), (above, below), (0, 0)))
    taps = product(range(side), range(side))
    return sum(np.einsum("nrck,ko->nrco", wide[:, i : i + rows, j : j + columns], weight[i, j]) for i, j in taps)


def looked(x, layers, weights):
    """Top activity ``(view, D)`` and the sides of every corner met on the way."""
    sides = []
    for layer, weight in zip(layers, weights[:-1], strict=True):
        u = convolved(x, weight)
        if layer.nonlinearity in ("inhibited", "saturating"):
            u = u - u.mean(3, keepdims=True)
        if layer.averaged:
            sides += [u > 0, u > 1]
            n, rows, columns, channels = u.shape
            response = PHI[layer.nonlinearity](u).reshape(n, rows // 2, 2, columns // 2, 2, channels)
            x = response.mean((2, 4))
            continue
        if layer.pooled:
            n, rows, columns, channels = u.shape
            windows = u.reshape(n, rows // 2, 2, columns // 2, 2, channels).swapaxes(2, 3)
            windows = windows.reshape(n, rows // 2, columns // 2, 4, channels)
            sides.append(windows.argmax(3))
            u = windows.max(3)
        if layer.nonlinearity == "hardtanh":
            sides.append((u > -1).astype(int) + (u >= 1))
        if layer.nonlinearity in ("rectified", "inhibited", "saturating"):
            sides += [u > 0, u > 1]
        x = PHI[layer.nonlinearity](u)
    return x.reshape(len(x), -1) @ weights[-1], sides


def hinge(stored, z2, ahead, lags, low, high):
    """The contrastive hinge against ``stored`` view 1 activities, of which ``ahead`` came before the batch."""
    total, sides = 0.0, []
    for k, i in product(range(len(z2)), range(len(stored))):
        lag = k + ahead - i
        if lags and not 0 <= lag < lags:
            continue
        apart = z2[k] - stored[i]
        distance = np.abs(apart).sum()
        value = distance - low if lag == 0 else high - distance
        sides += [np.array([value > 0]), np.sign(apart) * (value > 0)]
        total += max(0.0, value) * (1 if lag == 0 or not lags else 1 / lags)
    return total, sides


def simclr(z1, z2, temperature):
    """Mean over view 1 plus mean over view 2 of the cross entropy of finding the other view."""
    z = np.concatenate([z1, z2])
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    likeness = np.exp(unit @ unit.T / temperature)
    likeness[np.diag_indices(len(z))] = 0
    partner = np.roll(np.arange(len(z)), len(z1))
    return -2 * np.mean(np.log(likeness[np.arange(len(z)), partner] / likeness.sum(1))), []


def hinge_mean(z1, z2, low, high):
    """All views against all: positive hinge plus the mean of the active negatives, then the mean over rows."""
    z = np.concatenate([z1, z2])
    apart = z[:, None] - z[None]
    distance, rows = np.abs(apart).sum(2), np.arange(len(z))
    partner = np.roll(rows, len(z1))
    negative = np.maximum(0, high - distance)
    negative[rows, rows] = negative[rows, partner] = 0
    active = negative > 0
    positive = np.maximum(0, distance[rows, partner] - low)
    value = np.mean(positive + negative.sum(1) / np.maximum(1, active.sum(1)))
    return value, [active, positive > 0, np.sign(apart)]


def barlow(z1, z2):
    """Zbontar et al. 2021: correlations of the normalised views, 1 with themselves, 0 with the others."""
    n1, n2 = ((z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5) for z in (z1, z2))
    c = n1.T @ n2 / len(z1)
    on = np.diag(c)
    return (((on - 1) ** 2).sum() + 4e-3 * ((c**2).sum() - (on**2).sum())) / 32, []


def positive(z1, z2):
    """Positives only: the distances of the pairs."""
    return np.abs(z2 - z1).sum() / (2 * len(z1) ** 2), [np.sign(z2 - z1)]


class Written:
    """The loss of a whole network as a function of its weights."""

    def __init__(self, rule, views, past, options):
        self.rule, self.views, self.past, self.options = rule, views, past, options
        self.weights = [p.synapse.weight.array.copy() for p in (*rule.network.projections, rule.head)]
        self.pairs = rule.network.pairs
        self.held = looked(views, rule.network.layers, self.weights)[0][: self.pairs]

    def loss(self, weights):
        z, sides = looked(self.views, self.rule.network.layers, weights)
        z1, z2 = self.held if self.rule.network.block else z[: self.pairs], z[self.pairs :]
        value, more = self.compared(self.rule.loss.name, z1, z2)
        return value, sides + more

    def compared(self, name, z1, z2):
        if name == "simclr":
            return simclr(z1, z2, self.options["temperature"])
        if name in ("barlow", "positive"):
            return {"barlow": barlow, "positive": positive}[name](z1, z2)
        low, high = (self.options["threshold"] + s * self.options["delta"] for s in (-1, 1))
        if name == "hinge-mean":
            return hinge_mean(z1, z2, low, high)
        stored = np.concatenate([self.past, z1]) if self.options["lags"] else z1
        return hinge(stored, z2, len(stored) - len(z1), self.options["lags"], low, high)

    def slope(self, number, index):
        """Central difference by one weight; None where a corner lies within the step."""
        ends = []
        for sign in (1, -1):
            weights = list(self.weights)
            weights[number] = weights[number].copy()
            weights[number][index] += sign * STEP
            ends.append(self.loss(weights))
        (up, above), (down, below) = ends
        same = all(np.array_equal(a, b) for a, b in zip(above, below, strict=True))
        return (up - down) / (2 * STEP) if same else None


TEXTS = ["3 hardtanh, 4 pool", "3 tanh pool, 4 hardtanh", "3 hardtanh pool, 3 linear, 4 tanh pool", "4 linear pool"]
LATERAL = [
    "4 5x5 saturating average, 4 inhibited pool",
    "4 rectified pool, 4 2x2 inhibited",
    "4 tanh average, 4 saturating",
]
# Margins between the distances met, so that comparisons of both kinds fall on both sides: m+ and m- of each network.
MARGINS = dict(zip(TEXTS, [(0.8, 1.3), (0.55, 0.75), (0.2, 0.36), (1.0, 1.25)], strict=True))


def between(text):
    low, high = MARGINS[text]
    return {"threshold": (high + low) / 2, "delta": (high - low) / 2}


CASES = [
    *((text, "hinge", {"lags": lags, **between(text)}) for text in TEXTS for lags in (None, 3)),
    *((text, "simclr", {"temperature": 0.5}) for text in TEXTS[:2]),
    *((text, "simclr", {"temperature": 0.5}) for text in LATERAL),
    (TEXTS[1], "hinge-mean", between(TEXTS[1])),
    (TEXTS[3], "barlow", {}),
    (TEXTS[0], "positive", {}),
]
IDS = [f"{text} {name} {options.get('lags', '')}".strip() for text, name, options in CASES]


def both_sides(error, low, high):
    """Some positives and some negatives are active, and some of each are not."""
    apart = np.abs(error.view1.array[:, None] - error.view2.array[None]).sum(2)
    same = np.eye(len(apart), dtype=bool)
    active = (apart[same] > low, apart[~same] < high)
    return all(0 < kind.mean() < 1 for kind in active)


@pytest.mark.parametrize("block", [True, False], ids=["block", "free"])
@pytest.mark.parametrize(("text", "name", "options"), CASES, ids=IDS)
def test_update_is_the_derivative_of_the_loss(build, show, run, text, name, options, block):
    rule = build("bp", text=text, loss=make_loss(name, **options), block=block, units=3, pairs=4, seed=5)
    show(rule, 1)
    run(rule)  # an earlier batch: its view 1 stays in the memory
    past = rule.head.post.activity.array[:4].copy()
    views = show(rule, 2)
    run(rule)
    written = Written(rule, views, past, options)
    value = rule.error.value.array
    assert abs(written.loss(written.weights)[0] - value[0]) < 1e-10
    assert "hinge" not in name or both_sides(rule.error, *MARGINS[text])
    skipped = met = 0
    for number, projection in enumerate((*rule.network.projections, rule.head)):
        change = projection.synapse.change.array
        slopes = {index: written.slope(number, index) for index in np.ndindex(change.shape)}
        smooth = {index: slope for index, slope in slopes.items() if slope is not None}
        met, skipped = met + len(slopes), skipped + len(slopes) - len(smooth)
        assert any(smooth.values())
        found, wanted = np.array([change[i] for i in smooth]), np.array(list(smooth.values()))
        assert np.abs(found - wanted).max() < 1e-6 * max(1, np.abs(wanted).max()), projection.synapse.name
    assert skipped <= 0.02 * met


def test_networks_of_this_file_meet_saturated_units_and_closed_windows(build, show, run):
    """So that the gates are tested where they are shut, too."""
    rule = build("bp", text=TEXTS[0])
    show(rule)
    run(rule)
    x1 = np.abs(rule.network.populations[1].activity.array)
    assert 0.05 < (x1 == 1).mean() < 0.95
