"""Maps of errors that were made from the forward weights are found whatever was done to them; independent ones pass."""

import numpy as np
import pytest

from neurosim.audit.symmetry.chance import beyond_chance, centred, cycle, dimensions, reordered
from neurosim.audit.symmetry.resemblance import likenesses

SHAPES = {"convolution": ((16, 144), 16), "few channels": ((8, 72), 8), "head": ((48, 80), 0), "square": ((40, 40), 0)}


def draw(shape, seed):
    return np.random.default_rng([8, seed]).uniform(-1, 1, shape)


def mixed(w):
    return np.random.default_rng(2).normal(size=(len(w), len(w))) @ w


def low_rank(w):
    u, sizes, v = np.linalg.svd(w, full_matrices=False)
    return (u[:, :2] * sizes[:2]) @ v[:2]


MADE = {
    "copy": lambda w: w.copy(),
    "scaled": lambda w: -0.02 * w,
    "scaled by unit above": lambda w: w * draw((len(w), 1), 9),
    "scaled by unit below": lambda w: w * draw((1, w.shape[1]), 9),
    "blended": lambda w: w + 1.5 * draw(w.shape, 1),
    "signs": np.sign,
    "signs with other sizes": lambda w: np.sign(w) * np.abs(draw(w.shape, 2)),
    "sizes with other signs": lambda w: np.abs(w) * np.sign(draw(w.shape, 3)),
    "sparse": lambda w: np.where(np.abs(draw(w.shape, 4)) < 0.2, w, draw(w.shape, 5)),
    "low rank": low_rank,
    "units above in another order": lambda w: w[np.random.default_rng(6).permutation(len(w))],
    "units below in another order": lambda w: w[:, np.random.default_rng(6).permutation(w.shape[1])],
    "inverse": lambda w: np.linalg.pinv(w).T,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("how", MADE)
def test_what_was_made_from_the_forward_map_is_found(shape, how):
    size, channels = SHAPES[shape]
    w = draw(size, 0)
    assert likenesses(MADE[how](w), w, channels), (shape, how)


@pytest.mark.parametrize("shape", ["convolution", "few channels", "head"])
def test_products_of_the_weights_with_anything_are_found(shape):
    size, channels = SHAPES[shape]
    w = draw(size, 0)
    found = likenesses(mixed(w), w, channels)
    assert any("span" in each.how for each in found), found


def structured(how, shape, seed):
    """An array of its own with structure that costs it numbers."""
    rng = np.random.default_rng([seed, 3])
    x = rng.uniform(-1, 1, shape)
    if how == "Dale above":
        return np.abs(x) * np.sign(rng.uniform(-1, 1, (len(x), 1)))
    if how == "Dale below":
        return np.abs(x) * np.sign(rng.uniform(-1, 1, (1, shape[1])))
    if how == "positive":
        return np.abs(x)
    if how == "one dimension":
        return x[:, :1] @ x[:1]
    if how == "sparse":
        return x * (np.random.default_rng(7).uniform(size=shape) < 0.4)  # the same places
    if how == "heavy":
        return np.exp(1.2 * rng.normal(size=shape)) * np.sign(x)
    if how == "smooth":
        return np.repeat(x[:, : shape[1] // 9], 9, axis=1).reshape(len(x), -1, 9).swapaxes(1, 2).reshape(shape)
    return np.sign(x) if how == "signs" else x


@pytest.mark.parametrize(
    "how", ["plain", "Dale above", "Dale below", "positive", "one dimension", "sparse", "heavy", "smooth", "signs"]
)
def test_structure_of_one_s_own_raises_no_alarm(how):
    for seed in range(12):
        a, b = (structured(how, (16, 144), 2 * seed + n) for n in (0, 1))
        assert likenesses(a, b, 16) == [], (how, seed)


def test_too_few_numbers_decide_nothing():
    assert likenesses(draw((3, 9), 0), draw((3, 9), 1)) is None
    assert likenesses(np.ones((9, 9)), draw((9, 9), 1)) is None


def test_orders_leave_nothing_at_its_place_and_keep_places_together(rng):
    assert (cycle(7, rng) != np.arange(7)).all()
    matrix = np.arange(24.0).reshape(4, 6)
    other = reordered(matrix, 3, rng)
    assert sorted(other.ravel()) == sorted(matrix.ravel()) and not (other == matrix).any()
    assert {tuple(row[:3] % 3) == tuple(row[3:] % 3) for row in other} == {True}


def test_what_a_unit_has_for_all_its_synapses_is_taken_away(rng):
    w = rng.normal(size=(5, 1)) + rng.normal(size=(1, 7))
    assert np.abs(centred(w)).max() < 1e-9
    assert dimensions(np.outer(np.arange(1, 5), np.arange(1, 9))) == pytest.approx(1)
    assert beyond_chance(np.zeros((9, 9)), np.ones((9, 9)), 9, rng) is None
