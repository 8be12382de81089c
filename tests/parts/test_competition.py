"""Competition: its kernels' forms; winners, what decays weights, and thresholds, by hand."""

import numpy as np
import pytest
from forms import Forms

from neurosim.kernels.competition import KINDS, adapt, compete, to_synapses
from neurosim.networks.network import Network
from neurosim.parts.competition import Competition
from neurosim.plasticity.bounded import Bounded

RNG = np.random.default_rng(4)
M = 6


def compete_case(shape, kind, winners, ties=False):
    potential = RNG.normal(size=shape)
    if ties:
        potential = np.round(potential * 2) / 2
    threshold = np.zeros(M) if ties else RNG.normal(size=M) * 0.3
    given = {"potential": potential, "threshold": threshold, "activity": np.full(shape, np.nan)}
    return {**given, "active": np.zeros(M), "wins": np.zeros(M), "kind": kind, "winners": winners}


class TestForms(Forms):
    @staticmethod
    def cases():
        changed = ["activity", "active", "wins"]
        for kind in KINDS:
            for shape in ((5, 2, 3, M), (5, 4, 1, 2, M)):
                for winners in (1, 3):
                    yield compete, compete_case(shape, kind, winners), changed
            yield compete, compete_case((20, M), kind, 2, ties=True), changed
        yield (
            to_synapses,
            {"active": RNG.normal(size=M), "at_synapses": np.full((2, 2, 3, M), np.nan), "strength": 1.5},
            ["at_synapses"],
        )
        wins, value = np.array([0.0, 3, 0, 5, 2, 1]), np.full(1, np.nan)
        given = {"wins": wins, "threshold": RNG.normal(size=M), "value": value, "fair": 0.4, "homeostasis": 0.1}
        yield adapt, given, ["threshold", "value"]


def competed(potential, kind="winner", winners=1, threshold=None):
    u = np.array(potential, float)
    given = {"potential": u, "threshold": np.zeros(u.shape[1]) if threshold is None else np.array(threshold, float)}
    given |= {"activity": np.empty_like(u), "active": np.zeros(u.shape[1]), "wins": np.zeros(u.shape[1])}
    compete.form("cpu")(**given, kind=kind, winners=winners)
    return given["activity"].tolist(), given["active"].tolist(), given["wins"].tolist()


def test_the_largest_potential_wins_of_equal_ones_the_first():
    y, active, wins = competed([[1, 3, 2], [2, 2, 1]])
    assert y == [[0, 1, 0], [1, 0, 0]]
    assert active == wins == [1, 1, 0]


def test_a_threshold_decides_too():
    assert competed([[1, 3, 2]], threshold=[0, 2, 0])[0] == [[0, 0, 1]]


def test_nobody_wins_where_nothing_excites():
    """A flat part of a picture has potentials of 0: there is nothing to learn from."""
    for kind in ("winner", "oja", "direction"):
        assert competed([[0, 0, 0], [-1, -2, -3]], kind) == ([[0, 0, 0]] * 2, [0, 0, 0], [0, 0, 0])


def test_several_may_win():
    assert competed([[1, 3, 2]], winners=2) == ([[0, 1, 1]], [0, 1, 1], [0, 1, 1])


def test_oja_s_winner_is_as_active_as_it_is_excited_and_decays_by_the_square():
    assert competed([[1, 3, 2]], "oja") == ([[0, 3, 0]], [0, 9, 0], [0, 1, 0])


def test_direction_wins_by_one_and_decays_by_the_potential():
    assert competed([[1, 3, 2], [1, 5, 2]], "direction") == ([[0, 1, 0]] * 2, [0, 8, 0], [0, 2, 0])


def test_direction_leads_to_the_direction_of_the_mean_won_and_to_the_length_asked_for():
    """``w += rate (sum x - sum u w / l^2)`` rests at ``l x / |x|``, however large what was won."""
    won, weight, length = np.array([[3.0, 4.0], [9.0, 8.0], [0.0, 0.5]]), np.array([0.3, 0.1]), 0.5
    for _ in range(500):
        _, active, _ = competed(won @ weight[:, None] * [1, 0], "direction")
        weight += 0.005 * (won.sum(axis=0) - active[0] / length**2 * weight)
    mean = won.mean(axis=0)
    np.testing.assert_allclose(weight, length * mean / np.linalg.norm(mean), rtol=1e-6)


def test_softhebb_s_losers_learn_the_opposite():
    """Journe et al. 2023: y is a softmax, negative for all but the winner; weights decay by y u."""
    y, active, wins = competed([[0, np.log(3)]], "softhebb")
    np.testing.assert_allclose(y, [[-0.25, 0.75]])
    np.testing.assert_allclose(active, [0, 0.75 * np.log(3)])
    assert wins == [0, 1]


def competition(winners=1, block=False, text="4 5x5 inhibited pool", homeostasis=0.1):
    network = Network(text, (8, 8, 2), 3, block=block, plasticity=Bounded(0.1), dtype=np.float64)
    return Competition(network.projections[0], "winner", winners, homeostasis)


@pytest.mark.parametrize(("winners", "block"), [(1, False), (2, False), (1, True)])
def test_a_unit_that_wins_its_share_keeps_its_threshold(winners, block):
    """6 views, or the 3 that learn, of 8 x 8 places: a quarter of them for each of 4 units and each winner."""
    part = competition(winners, block)
    share = (3 if block else 6) * 64 * winners / 4
    assert part.fair * share == 1
    threshold = np.zeros(4)
    wins = np.array([share, 2 * share, 0, share / 2])
    adapt.form("cpu")(wins, threshold, np.zeros(1), fair=part.fair, homeostasis=0.1)
    np.testing.assert_allclose(threshold, [0, 0.1, -0.1, -0.05], atol=1e-12)


def test_only_views_that_learn_compete():
    part = competition(block=True)
    assert part.potential.rows == range(3, 6)
    assert part.activity.shape == (3, 4, 4, 4, 4)
