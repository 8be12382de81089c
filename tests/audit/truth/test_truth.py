"""Plans of known truth: the audit finds every guilty one and accuses no innocent one; ``run.py`` asks thousands."""

import pytest
from plans import GUILTY, INNOCENT, detail, truth
from run import answer, audited, counts

from neurosim.training.alone import wire

PLANS, FEW = 300, 10  # a few a test, so that they spread over processes; by the audit of a training's start


@pytest.mark.parametrize("first", range(0, PLANS, FEW))
def test_every_guilty_plan_is_found_and_no_innocent_one_accused(first):
    rows = [audited(seed, light=True) for seed in range(first, first + FEW)]
    wrong = [row for row in rows if answer(row) != "right"]
    assert not wrong, "\n".join([*(f"{row} {detail(row['seed'])}" for row in wrong), counts(rows)])


def test_every_kind_is_among_them():
    kinds = {kind for seed in range(PLANS) for kind in truth(seed).kind.split("+")}
    assert kinds == {trait.__name__ for trait in (*GUILTY, *INNOCENT)} | {"nothing"}


@pytest.mark.parametrize("seed", [1, 9, 44])
def test_a_plan_is_the_same_whenever_it_is_made(seed):
    made = [wire(f"plans:Plan{seed}", truth(seed).network, (8, 8, 3), 4) for _ in range(2)]
    first, again, other = (str(rule.plan("all layers")) for rule in (made[0], made[0], made[1]))
    assert first == again == other
    assert detail(seed) == detail(seed)


ONCE_WRONG = {
    "units of which one silences all others, in a batch where most are alike": 1763,
    "activity of the layer below in the factor of a layer": 4099,
    "feedback made of the signs of positive weights": 1002,
    "sums that cancel": 2268,
    "a blend, in three rows": 3817,
    "a blend, in few channels": 1897,
    "smooth weights against the inverse": 2298,
    "sizes of fifteen numbers, which nine taps repeat": 2200,
}


@pytest.mark.parametrize("seed", ONCE_WRONG.values(), ids=ONCE_WRONG)
def test_what_the_audit_once_got_wrong(seed):
    row = audited(seed, light=True)
    assert answer(row) == "right", row
