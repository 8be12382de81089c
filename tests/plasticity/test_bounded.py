"""Bounded: the kernel's forms, where weights go, and that no step goes too far."""

import numpy as np
import pytest
from forms import Forms

from neurosim.plasticity.bounded import HALVINGS, Bounded, bounded

RNG = np.random.default_rng(5)


class TestForms(Forms):
    @staticmethod
    def cases():
        for top, decay in ((1.0, 0.0), (3000.0, 0.1)):
            change, active, weight = RNG.normal(size=23), RNG.uniform(0, top, 23), RNG.normal(size=23)
            given = {"change": change, "active": active, "weight": weight, "rate": np.array([0.1]), "decay": decay}
            yield bounded, given, ["weight"]


def stepped(rate, change, active, weight):
    weight = np.array([weight], float)
    bounded.form("cpu")(np.array([change], float), np.array([active], float), weight, np.array([rate]), decay=0.0)
    return weight[0]


def test_a_weight_goes_to_the_mean_of_what_its_unit_won():
    """c / a is that mean: the sum of presynaptic activity over the sum of postsynaptic activity."""
    weight = 7.0
    for _ in range(200):
        weight = stepped(0.02, 6.0, 3.0, weight)
    assert weight == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize("active", [0.5, 5.0, 10.0, 11.0, 25.0, 100.0, 2000.0, 6e5])
def test_no_step_goes_beyond_what_it_aims_at(active):
    """From 0 to a mean of 1, at rate 0.1: rate times activity of it, halved until that is at most 1."""
    reached, pull = stepped(0.1, active, active, 0.0), 0.1 * active
    for _ in range(HALVINGS):
        pull /= 2 if pull > 1 else 1
    assert reached == pytest.approx(pull)
    assert reached <= 1


def test_a_unit_that_was_not_active_keeps_its_weights():
    assert stepped(0.1, 0.0, 0.0, 3.0) == 3.0


def test_every_synapse_is_told_its_units_activity():
    state = Bounded().state("W1", (3, 3, 2, 4), ("tap_row", "tap_column", "in", "out"), np.float32)
    assert {name: (b.name, b.shape, b.lasts) for name, b in state.items()} == {
        "active": ("active W1", (3, 3, 2, 4), False)
    }
