"""Exactly one recipe applies, whatever is asked for, and everything resolves as version d081ef4 did."""

import importlib.util
import itertools
from pathlib import Path

import pytest

from neurosim import losses, plasticity, rules
from neurosim.core.options import REQUIRED
from neurosim.errors import NeurosimError, WiringError
from neurosim.networks import presets
from neurosim.training import plugins
from neurosim.training.config import Config
from neurosim.training.recipe import KEYS, UNSET, choose, matching, recipes
from neurosim.training.resolve import rates
from neurosim.training.sections import KEYWORDS, SECTIONS, fields

_spec = importlib.util.spec_from_file_location("old_resolve", Path(__file__).with_name("old_resolve.py"))
old = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(old)

# What d081ef4 had.
RULES = [None, "bp", "dtp", "ll", "none", "rf", "sign", "urf", "tests_of_recipes:Mine"]
LOSSES = [None, "barlow", "clapp", "gaze", "hinge", "hinge-mean", "positive", "simclr"]
DATA = [None, "toys", "cifar10", "cifar100", "stl10", "folder:pictures", "a.npz"]
FEW = (None, "cifar10", "stl10", "folder:pictures")  # with other options besides
NETWORKS = [
    None,
    "conv4-tanh",
    "conv5",
    "small",
    "vgg6",
    "32 hardtanh, 32 pool, 64 hardtanh, 64 pool, 512 pool",
    "4 pool, 4 pool",
]
PLASTICITIES = [None, "signum", "sgd", "momentum", "adam"]
EXTRAS = {
    "hinge": [{}, {"lags": "all"}, {"lags": 7}, {"lags": "all", "rate": 0.5}, {"negative_weight": 0.25, "block": True}],
    "patches": [
        {},
        {"patch": 8},
        {"patch": 8, "crop": 32},
        {"patch": 8, "crop": 32, "grey": False},
        {"grey": True},
        {
            "patch": 8,
            "crop": 48,
            "rate": 0.5,
            "head_rate": 2.0,
            "layer_rates": (1.0, 0.5),
            "block": False,
            "negatives": 3,
        },
        {"views": "deform"},
        {"block": True},
        {"deformation": "affine"},
        {"crop": 32},
        {"views": "gaze"},
    ],
    "any": [
        {},
        {"views": "motion"},
        {"deformation": "simclr"},
        {"patch": 8},
        {"views": "gaze"},
        {"crop": 16, "grey": True, "batch": 7, "epochs": 3, "feedback_gain": 0.5, "match": True, "block": True},
        {"views": "motion", "deformation": "affine"},
        {"threshold": 3.0},
        {"momentum": 0.5, "head_rate": 0.5},
    ],
}


@pytest.fixture(scope="module", autouse=True)
def mine(tmp_path_factory):
    """A rule of somebody else's."""
    folder = tmp_path_factory.mktemp("mine")
    text = "from neurosim.rules.end_to_end import EndToEnd\nclass Mine(EndToEnd):\n    feedback = 'rf'\n"
    (folder / "tests_of_recipes.py").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


def extras(loss, rule):
    kind = "patches" if loss in ("clapp", "gaze") else "any"
    return EXTRAS[kind] + (EXTRAS["hinge"] if loss == "hinge" or (loss is None and rule != "dtp") else [])


def expected(**given):
    """What d081ef4 resolved, as a run used it: options of the rule and the loss that are not there are nothing.

    But for bp on photographs with conv5 and signum, whose rate was 0.03 and let a seed fall apart.
    """
    found = old.resolve(**given)
    patches = found["loss"] in ("clapp", "gaze") or found["data"] in ("toys", "stl10") or "rate" in given
    if (found["rule"], found["network"], found["plasticity"]) == ("bp", "conv5", "signum") and not patches:
        found["rate"] = 0.01
    for kind, words in (("rule", old.OF_RULES), ("loss", old.OF_LOSSES), ("plasticity", ("momentum", "decay"))):
        known = plugins.options(kind, found[kind])
        for word in words:
            if word not in known:
                del found[word]
            elif kind == "rule" and found[word] is None:
                found[word] = known[word].default
    return found


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("loss", LOSSES)
def test_combinations_resolve_as_d081ef4_did(rule, loss):
    """One of eleven, others for every rule and loss: all 25,000 together take minutes; no list is a multiple of eleven long."""
    count, all_of_them = 0, list(combinations(rule, loss))
    for given in all_of_them[(RULES.index(rule) + 3 * LOSSES.index(loss)) % 11 :: 11]:
        try:
            wanted = expected(**given)
        except ValueError:
            with pytest.raises(NeurosimError):
                Config.resolve(**given)
            continue
        count += 1
        found = Config.resolve(**given)
        assert {word: value for word, value in found.flat().items() if word in wanted} == wanted, given
    assert len(all_of_them) > 240 and count > 9


def combinations(rule, loss):
    """What may be asked for of one rule and loss."""
    for data, network, change in itertools.product(DATA, NETWORKS, PLASTICITIES):
        for more in extras(loss, rule) if change in (None, "adam") and data in FEW else [{}]:
            given = {"rule": rule, "loss": loss, "data": data, "network": network, "plasticity": change, **more}
            given = {word: value for word, value in given.items() if value is not None}
            if change == "sgd":  # refuses a momentum that it would ignore
                given.pop("momentum", None)
            yield given


def test_a_recipe_without_a_match_is_asked_for_by_name():
    assert choose({"rule": "hebb", "data": "cifar10"}).name == "hebb-photographs"
    config = Config.resolve(recipe="record", data="cifar10")
    assert (config.rule.name, config.views.kind, config.plasticity.name) == ("hebb", "still", "bounded")
    assert (config.training.minutes, config.recipe) == (15, "record")
    assert Config.resolve(recipe="record", data="cifar10", minutes=2).training.minutes == 2


def test_exactly_one_recipe_matches_whatever_is_asked_for():
    known = {
        "rule": [*rules.available(), "tests_of_recipes:Mine"],
        "loss": [*losses.available()],
        "data": [*DATA[1:], "rhm"],
        "network": ["unset", *presets.available(), *NETWORKS[-2:]],
        "plasticity": ["unset", *plasticity.available()],
    }
    used = set()
    for names in itertools.product(*(known[key] for key in KEYS)):
        found = matching(dict(zip(KEYS, names, strict=True)))
        assert len(found) == 1, (names, [each.name for each in found])
        used.add(found[0].name)
    assert used == {name for name, each in recipes().items() if each.match}, "a recipe that never applies"


@pytest.mark.parametrize("recipe", recipes().values(), ids=recipes())
def test_a_recipe_sets_what_there_is(recipe):
    assert recipe.summary and set(recipe.match) <= set(KEYS)
    for section, table in recipe.settings.items():
        assert set(table) - {"options"} <= set(fields(SECTIONS[section])), section
        known = set()
        for kind in plugins.REGISTRIES[section].available() if "options" in table else ():
            known |= set(plugins.options(section, kind))
        assert set(table.get("options", ())) <= known
    Config.resolve(recipe=recipe.name, **({"loss": "gaze", "patch": 8, "crop": 32} if "patches" in recipe.name else {}))


def test_a_recipe_is_named_and_can_be_asked_for():
    assert Config.resolve().recipe == "toys" and Config.resolve(data="cifar10").recipe == "photographs-conv5"
    assert Config.resolve(data="cifar10", network="small").recipe == "photographs"
    asked = Config.resolve(recipe="photographs", batch=7)
    assert (asked.recipe, asked.data.name, asked.network.name) == ("photographs", "toys", "conv5")
    assert (asked.training.batch, asked.loss.options["lags"]) == (7, 20)
    with pytest.raises(WiringError, match="unknown recipe 'toy'; expected one of dtp-"):
        Config.resolve(recipe="toy")
    assert choose({}).name == choose(UNSET).name == "toys"


@pytest.mark.parametrize(
    ("text", "layers", "wanted"),
    [
        ("0.3, 1, 1.5..., 0", 5, (0.3, 1, 1.5, 1.5, 0)),
        ("0.3, 1, 1.5..., 0", 3, (0.3, 1, 0)),
        ("1...", 4, (1,) * 4),
        ("0.3, 1, 1.5..., 0", 7, (0.3, 1, 1.5, 1.5, 1.5, 1.5, 0)),
        ("1,0.5", 2, (1, 0.5)),
        ("1,0.5", 5, (1, 0.5)),
    ],
)
def test_rates_are_a_function_of_depth(text, layers, wanted):
    assert rates(text, layers) == wanted


@pytest.mark.parametrize("text", ["", "1,x", "1...,2...", "1,2,3,4,5...", "..."])
def test_rates_that_cannot_be_read_are_refused(text):
    with pytest.raises(WiringError, match="layer_rates="):
        rates(text, 3)


def test_they_fit_the_network_that_is_chosen():
    found = Config.resolve(data="cifar10", network="4 pool, 4 pool, 4 hardtanh", layer_rates="1, 0.5...")
    assert found.plasticity.layer_rates == (1.0, 0.5, 0.5)


def test_every_option_is_declared_once_and_has_help():
    words = [each for section in SECTIONS.values() for each in fields(section).values()]
    assert len(words) == len(KEYWORDS) and all(each.option.help and each.default is not REQUIRED for each in words)
    for section, registry in plugins.REGISTRIES.items():
        for kind in registry.available():
            assert all(each.option.help for each in plugins.options(section, kind).values())
