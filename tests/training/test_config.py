"""One configuration in four forms: flat keywords, sections, a TOML file, config.json."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

import neurosim
from neurosim.errors import NeurosimError, RunError, WiringError
from neurosim.losses.base import Loss
from neurosim.training.config import FORMAT, Config
from neurosim.training.recipe import recipes
from neurosim.training.sections import KEYWORDS, SECTIONS

CASES = {
    "none": {},
    "all lags": {"lags": "all"},
    "patches": {"data": "stl10", "loss": "gaze", "negatives": 3},
    "photographs": {"data": "cifar10"},
    "dtp": {"rule": "dtp", "data": "cifar10", "noise": 0.5, "target_step": 1e-7},
    "motion": {"views": "motion", "hue": 0.25},
    "labels": {"labels": "100,2000,50000"},
    "simclr": {"deformation": "simclr", "loss": "simclr", "area": 0.5},
    "rates": {"layer_rates": "1, 0.5...", "schedule": "linear", "decay": 0.1},
    "numbers": {"threads": 3, "images": 100, "crop": 16, "diagnose_every": 5, "precision": "float64", "seed": 2**40},
    "odd names": {"data": 'folder:a "b"\\c\n\td\x7f\x01 é 像', "data_dir": "C:\\n", "network": "4 pool"},
    "a file called none": {"data_dir": "./none", "data": "none.npz"},
}


@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_every_form_reads_back_to_an_equal_one(given, tmp_path):
    config = Config.resolve(**given)
    (tmp_path / "mine.toml").write_text(config.to_toml(), encoding="utf-8")
    again = Config.from_toml(tmp_path / "mine.toml")
    assert again == config and again.recipe == config.recipe and again.to_toml() == config.to_toml()
    again = Config.from_json(config.to_json())
    assert again == config and again.recipe == config.recipe


@pytest.mark.parametrize("recipe", recipes())
def test_every_recipe_is_written_and_read(recipe, tmp_path):
    more = {"loss": "gaze", "patch": 8, "crop": 32} if "patches" in recipe else {}
    config = Config.resolve(recipe=recipe, **more)
    (tmp_path / "mine.toml").write_text(config.to_toml(), encoding="utf-8")
    assert Config.from_toml(tmp_path / "mine.toml") == config
    tables = tomllib.loads(config.to_toml())
    assert tables["recipe"] == recipe and set(tables) == {"recipe", *SECTIONS}


def test_what_is_given_wins_over_the_file_and_the_file_over_the_recipe(tmp_path):
    path = tmp_path / "mine.toml"
    text = '[data]\nname = "cifar10"\n[training]\nbatch = 7\nseed = 3\n'
    path.write_text(text + '[rule]\nname = "ll"\n[rule.options]\norder = "greedy"\n', encoding="utf-8")
    config = Config.from_toml(path, batch=9)
    assert (config.training.batch, config.training.seed, config.training.epochs) == (9, 3, 1)
    assert (config.rule.options["order"], config.recipe) == ("greedy", "photographs-conv5")
    assert Config.from_toml(path, feedback="rf").rule.options.items() >= {"order": "greedy", "feedback": "rf"}.items()
    other = Config.from_toml(path, rule="bp")  # the file's options are those of the rule that it names
    assert other.rule.options == {} and other.training.batch == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[training]\nbacth = 5", "unknown key 'bacth' in [training]; expected one of epochs, batch"),
        ("[training]\nbacth = 5", "did you mean batch?"),
        ("[trainig]\nbatch = 5", "unknown key 'trainig'"),
        ("[trainig]\nbatch = 5", "did you mean training?"),
        ("batch = 5", "write it under [training]"),
        ("training = 5", "expected a table [training]"),
        ("[rule]\norder = 'greedy'", "unknown key 'order' in [rule]"),
        ("[rule]\noptions = 3", "expected a table [rule.options]"),
        ("[rule.options]\nordre = 'greedy'", "rule ll has no option ordre"),
        ("[rule.options]\nordre = 1", "did you mean order?"),
        ("[training]\nbatch = 'many'", "batch='many'; expected a whole number of at least 2"),
        ("[training]\nbatch = 1.5", "batch=1.5; expected a whole number"),
        ("[rule]\nblock = 1", "block=1; expected true or false"),
        ("[plasticity]\nlayer_rates = ['a']", "layer_rates='a'; expected numbers"),
        ("[data]\nname = 3", "data=3; expected a text"),
        ("[network.options]\nwide = 1", "network small has no option wide"),
        ("recipe = 'toy'", "unknown recipe 'toy'"),
        ("[training\n", "cannot be read"),
        ("[loss.options]\nlags = 1", "lags=1; expected a whole number of at least 2, or 'all'"),
    ],
)
def test_a_file_that_is_wrong_is_one_line(tmp_path, text, words):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NeurosimError) as caught:
        Config.from_toml(path)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_no_file_is_one_line(tmp_path):
    with pytest.raises(RunError, match=r"cannot be read \(No such file"):
        Config.from_toml(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bacth": 5}, "unknown option 'bacth'"),
        ({"temperature": 1.0}, "loss hinge has no option temperature"),
        ({"rule": "bp", "noise": 1.0}, "rule bp has no option noise (noise=1); expected no option"),
        ({"plasticity": "sgd", "momentum": 0.5}, "plasticity sgd has no option momentum"),
        ({"batch": True}, "batch=True"),
        ({"negative_weight": 1.0, "lags": "all"}, "negative_weight=1 with lags=all"),
        ({"rate": float("inf")}, "rate=inf"),
        ({"rule": "lp"}, "unknown rule 'lp'"),
        ({"deformation": "cut"}, "unknown deformation 'cut'"),
    ],
)
def test_keywords_that_are_wrong_are_one_line(given, words):
    with pytest.raises(WiringError) as caught:
        Config.resolve(**given)
    assert words in str(caught.value)


def test_another_plug_in_starts_with_its_own_defaults():
    config = Config.resolve(order="greedy", lags=7, batch=9)
    assert config.replace(rule="ll").rule.options["order"] == "greedy"
    other = config.replace(rule="dtp", noise=0.25, loss="simclr")
    assert other.rule.options["noise"] == 0.25 and other.rule.options["top"] == "target"
    assert other.loss.options == {"temperature": 0.1} and other.training == config.training
    assert config.replace(lags="all").loss.options["lags"] is None


class Mine(Loss):
    def __init__(self, gain=2.0):
        self.gain = gain


def test_classes_and_objects_are_named_for_the_file():
    config = Config.resolve(loss=Mine, gain=3.0)
    assert (config.loss.options == {"gain": 3.0} and config.loss.name.endswith("Mine")) or "<Mine>" in config.loss.name
    config = Config.resolve(loss=Mine())
    assert (config.loss.name, config.loss.options) == ("<Mine>", {})
    assert Config.from_json(config.to_json()) == config and config.replace(batch=5).loss == config.loss


def test_numbers_of_numpy_and_paths_are_plain():
    config = Config.resolve(
        batch=np.int64(5), rate=np.float64(0.5), data=Path("a.npz"), data_dir=Path("b"), lags=np.int32(3)
    )
    assert json.loads(config.to_json())["training"]["batch"] == 5 and config.data.dir == "b"


def test_a_field_that_is_not_in_the_file_has_its_default():
    record = json.loads(Config.resolve(batch=7).to_json())
    del record["readout"], record["training"]["precision"], record["views"]["grey"]
    assert Config.from_json(json.dumps(record)) == Config.resolve(batch=7)
    assert record["format"] == FORMAT


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"neurosim": "0.1.0", "options": {"rule": "ll"}, "wiring": []}',
            "config.json was written by neurosim 0.1.0, in another "
            "format; expected format 1, of neurosim "
            + neurosim.__version__
            + "; install neurosim 0.1.0 to go on with it, or train anew",
        ),
        ('{"format": 99, "neurosim": "9.0"}', "written by neurosim 9.0"),
        ("[]", "cannot be read"),
        ("{", "cannot be read"),
        ('{"format": 1, "training": {"future": 1}}', "cannot be read"),
        ('{"format": 1, "training": 3}', "cannot be read"),
    ],
)
def test_a_config_json_of_another_version_is_one_line(text, words):
    with pytest.raises(RunError) as caught:
        Config.from_json(text)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_flat_keywords_are_told_apart():
    assert len(KEYWORDS) == len(set(KEYWORDS.values()))
    assert Config.resolve().flat()["rule"] == "ll"


def test_a_network_may_have_options(tmp_path, monkeypatch):
    """As any other plug-in; what is made from its text sees them."""
    head = "from neurosim.networks.presets.base import Preset\n\n\nclass Deep(Preset):\n"
    body = "    def __init__(self, depth: int = 2):\n        self.text = ', '.join(['4 pool'] * depth)\n"
    (tmp_path / "own_depths.py").write_text(head + body, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    config = Config.resolve(network="own_depths:Deep", depth=3, layer_rates="1, 0.5...")
    assert (config.network.name, config.network.options) == ("own_depths:Deep", {"depth": 3})
    assert config.network.text == "4 pool, 4 pool, 4 pool" and config.plasticity.layer_rates == (1, 0.5, 0.5)
    assert Config.from_json(config.to_json()) == config
    with pytest.raises(WiringError, match="depth"):
        Config.resolve(network="small", depth=3)
