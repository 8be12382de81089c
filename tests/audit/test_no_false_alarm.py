"""Plausible configurations over twenty random small networks: no alarm; and the controls fail as they must."""

import dataclasses
import os
from itertools import product

import numpy as np
import pytest

from neurosim.audit import assert_plausible, check
from neurosim.audit.target import of_config, of_rule
from neurosim.errors import PlausibilityError
from neurosim.losses import make as make_loss
from neurosim.networks import presets
from neurosim.rules import available
from neurosim.training.config import Config

PLAUSIBLE = [
    *(
        ("ll", {"order": order, "feedback": kind})
        for order, kind in product(("greedy", "random", "simultaneous"), ("rf", "urf", "sign"))
    ),
    ("rf", {}),
    ("urf", {}),
    ("sign", {}),
    ("dtp", {"top": "target"}),
    ("dtp", {"inverse_steps": 2}),
]
LOSSES = [
    ("hinge", {"lags": 2}),
    ("hinge", {"lags": 5}),
    ("hinge", {"lags": 20, "negative_weight": 1.0}),
    ("positive", {}),
]


def drawn(seed):
    """A network's text, its pictures' shape, moments, and plasticity, by lot."""
    rng = np.random.default_rng([seed, 77])
    sides, layers = int(rng.choice([4, 6, 8])), []
    side, depth = sides, int(rng.integers(1, 4))
    for _ in range(depth):
        pooled = side % 2 == 0 and side > 2 and rng.random() < 0.5
        side = side // 2 if pooled else side
        words = [
            str(rng.integers(2, 9)),
            *["bias"] * (rng.random() < 0.3),
            *["local"] * (rng.random() < 0.2),
            rng.choice(["hardtanh", "tanh"]),
            *["pool"] * pooled,
        ]
        layers.append(" ".join(words))
    head = ", head bias tanh" if rng.random() < 0.2 else ""
    plasticity = str(rng.choice(["sgd", "momentum", "signum", "adam"]))
    return {
        "text": ", ".join(layers) + head,
        "image": (sides, sides, int(rng.integers(1, 4))),
        "pairs": int(rng.integers(3, 6)),
        "plasticity": plasticity,
        "units": int(rng.integers(4, 12)),
        "seed": seed,
    }


@pytest.mark.parametrize("seed", range(20))
def test_plausible_rules_raise_no_alarm(build, seed):
    """A third of the configurations on each network, all of them on every three; NEUROSIM_ALL=1 takes them all."""
    network, every = drawn(seed), bool(os.environ.get("NEUROSIM_ALL"))
    for number, (rule, options) in enumerate(PLAUSIBLE):
        if not every and number % 3 != seed % 3:
            continue
        name, given = LOSSES[(seed + number) % len(LOSSES)]
        verdict = check(build(rule, loss=make_loss(name, **given), **network, **options))
        assert verdict.exit_code == 0, f"{rule} {options} {network} {name}\n{verdict.text()}"
        assert all("violated" not in {a.verdict for a in answers.values()} for answers in verdict.table.values())


@pytest.mark.parametrize("loss", LOSSES[1:])
def test_activities_that_are_equal_are_no_bend(build, loss):
    """Every comparison lies where its sign turns: sums and comparisons are simple arithmetic there, too."""
    name, given = loss
    target = of_rule(build("ll", loss=make_loss(name, **given)), deformed=False)
    images = next(buffer for plan in target.plans.values() for buffer in plan.buffers if buffer.name == "images")
    shown = target.present_batch

    def show(*place):
        shown(*place)
        images.array[...] = images.array[0]

    verdict = check(dataclasses.replace(target, present_batch=show))
    assert "ii" not in verdict.violated and verdict.table["ii"]["behaviour"].verdict == "holds", verdict.text()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rule", "options"), [("bp", {}), ("ll", {"feedback": "bp"}), ("dtp", {"top": "transport"})])
def test_controls_fail_by_transport(build, rule, options, seed):
    network = drawn(seed)
    if network["text"].count(",") == 0 and rule == "bp":
        network["text"] += ", 3 tanh"
    verdict = check(build(rule, **network, **options))
    assert verdict.violated == ["iii"], verdict.text()
    assert {"structure", "behaviour"} <= {f.by for f in verdict.findings} <= {"structure", "behaviour", "symmetry"}


def test_the_path_of_back_propagation(build):
    verdict = check(build("bp", text="3 hardtanh, 4 hardtanh, 3 hardtanh, 4 pool", image=(8, 8, 3)))
    assert "W4 -> feedback into layer 3 -> update of W3, W2, W1" in verdict.paths
    assert verdict.paths[-1] == "W2 -> feedback into layer 1 -> update of W1"
    assert verdict.text().splitlines().count("W4 -> feedback into layer 3 -> update of W3, W2, W1") == 1


@pytest.mark.parametrize("preset", sorted(presets.available()))
def test_every_preset_is_audited(preset):
    assert check(of_config(Config.resolve(network=preset))).exit_code == 0


@pytest.mark.parametrize("rule", sorted(available()))
def test_every_rule_has_an_answer(rule):
    verdict = check(of_config(Config.resolve(rule=rule, network="3 hardtanh, 4 pool")))
    assert verdict.exit_code == (1 if rule == "bp" else 0)
    again = check(of_config(Config.resolve(rule=rule, network="3 hardtanh, 4 pool")), light=True)
    assert again.outcome == verdict.outcome


def test_assert_plausible():
    assert assert_plausible("ll").exit_code == 0
    assert_plausible("ll", feedback="sign", order="greedy", network="3 tanh")
    with pytest.raises(PlausibilityError) as problem:
        assert_plausible("bp")
    first, path, seen = str(problem.value).splitlines()
    assert first == "bp is not plausible: violated (iii) asymmetry, found by structure and behaviour and symmetry"
    assert path.strip().startswith("H3 -> feedback into layer 3 -> update of W3")
    assert seen.strip().startswith("behaviour: H3 replaced, activities held")
    with pytest.raises(PlausibilityError, match="violated"):
        assert_plausible(available()["urf"], loss="simclr")


PATCHES = {"data": "cifar10", "patch": 8, "network": "3 hardtanh, 4 pool"}


@pytest.mark.parametrize("rule", ["ll", "urf"])
def test_gaze_is_plausible(rule):
    verdict = check(of_config(Config.resolve(rule=rule, loss="gaze", **PATCHES)))
    assert verdict.exit_code == 0, verdict.text()


def test_clapp_multiplies_activities_and_transposes_its_predictions():
    verdict = check(of_config(Config.resolve(rule="ll", loss="clapp", **PATCHES)))
    assert verdict.violated == ["ii", "iii"], verdict.text()
    assert any("product of activities" in f.text for f in verdict.findings if f.condition == "ii")
    assert any(path.startswith("P1 -> feedback into") for path in verdict.paths)


def test_the_ledger_of_plasticity_and_of_the_read_out_is_in_the_report():
    text = check(of_config(Config.resolve(network="3 tanh", plasticity="adam"))).text()
    assert "kernel adam: " in text and "the read-out: the only place that uses labels; recorded, not judged: " in text
    assert "exp" in text.split("not judged: ")[1]
