"""The options of the command line come from the sections and the plug-ins; a file and a recipe go beside them."""

import re
import textwrap
import tomllib

import click
import pytest
from neurosim.cli.main import main
from neurosim.cli.main import neurosim as command
from neurosim.cli.options import known_options

from neurosim.training import plugins
from neurosim.training.config import Config
from neurosim.training.sections import KEYWORDS

RULE = """
    from neurosim.rules.end_to_end import EndToEnd

    class MyRule(EndToEnd):
        feedback = "rf"

        def __init__(self, network, loss, gain=2.0, wide=False, word="a", batch=3):
            super().__init__(network, loss)
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    (tmp_path / "lab_of_options.py").write_text(textwrap.dedent(RULE), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def run(*arguments, capsys, code=0):
    """What a command printed."""
    with pytest.raises(SystemExit) as stopped:
        main(list(map(str, arguments)))
    found = capsys.readouterr()
    assert stopped.value.code == code, found.err
    return found.out if code == 0 else found.err


def printed(*arguments, capsys):
    return run("train", *arguments, "--print-config", capsys=capsys)


def test_every_keyword_and_every_option_of_a_plug_in_has_an_option():
    words = {option.name for option in known_options()}
    declared = {w for s, r in plugins.REGISTRIES.items() for name in r.available() for w in plugins.options(s, name)}
    assert words == set(KEYWORDS) | declared and len(known_options()) == len(words)
    assert all(option.help and option.help[0].strip() for option in known_options())


def test_no_command_has_an_option_twice():
    for name in ("train", "explain", "audit"):
        found = command.get_command(None, name)
        options = [
            option for each in found.get_params(click.Context(found)) for option in (*each.opts, *each.secondary_opts)
        ]
        assert len(options) == len(set(options))


def test_what_is_printed_is_read_back(tmp_path, capsys):
    arguments = ["--data", "stl10", "--loss", "gaze"]
    text = printed(
        *arguments, "--layer-rates", "1, 0.5...", "--no-grey", "--rate", "1e-5", "--images", "all", capsys=capsys
    )
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    assert printed("--config", path, capsys=capsys) == text
    wanted = Config.resolve(data="stl10", loss="gaze", layer_rates="1, 0.5...", grey=False, rate=1e-5)
    assert Config.from_toml(path) == wanted and wanted.plasticity.layer_rates == (1, *[0.5] * 5)
    other = tomllib.loads(printed("--config", path, "--batch", "7", "--grey", capsys=capsys))
    assert (other["training"]["batch"], other["views"]["grey"]) == (7, True)


def test_a_recipe_by_its_name(capsys):
    found = tomllib.loads(printed("--recipe", "photographs", "--epochs", "3", capsys=capsys))
    assert (found["recipe"], found["network"]["name"], found["training"]["epochs"]) == ("photographs", "conv5", 3)
    assert "unknown recipe 'photo'; expected one of dtp-" in run("train", "--recipe", "photo", capsys=capsys, code=2)


def test_options_of_a_plug_in_from_elsewhere(lab, capsys):
    name = "lab_of_options:MyRule"
    found = tomllib.loads(
        printed("--rule", name, "--gain", "3", "--wide", "--word", "b", "--batch", "9", capsys=capsys)
    )
    assert found["rule"]["options"] == {
        "gain": 3.0,
        "wide": True,
        "word": "b",
        "batch": 3,
    }  # its own batch: in a file alone
    assert found["training"]["batch"] == 9
    (lab / "mine.toml").write_text(f'[rule]\nname = "{name}"\n[rule.options]\nbatch = 5\n', encoding="utf-8")
    found = tomllib.loads(printed("--config", "mine.toml", f"--rule={name}", "--gain", "3", capsys=capsys))
    assert found["rule"]["options"]["batch"] == 5 and found["rule"]["options"]["gain"] == 3.0
    assert "--gain" in run("train", "--rule", name, "--help", capsys=capsys)
    assert re.search(r"No such option:? '?--gain", run("train", "--gain", "3", capsys=capsys, code=2))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batch", "1"], "error: --batch 1; expected a whole number of at least 2; write --batch 100"),
        (["--batch", "x"], "'x'; expected a whole number of at least 2"),
        (["--lags", "x"], "'x'; expected a whole number of at"),
        (["--layer-rates", "1,x"], "error: --layer-rates 1,x; expected numbers with commas between"),
        (["--layer-rates", "0,0"], "error: --layer-rates 0,0; expected numbers of at least 0, not all of them 0"),
        (
            ["--rule", "bp", "--noise", "1"],
            "error: rule bp has no option noise (--noise 1); expected no option; leave --noise out",
        ),
        (["--config", "none.toml"], "error: none.toml cannot be read"),
        (["--rule", "nowhere_here:A"], "there is no nowhere_here"),
        (
            ["--schedule", "steps"],
            "error: unknown schedule 'steps'; expected one of constant, cosine, linear; write --sch",
        ),
        (["--resume", "a", "--print-config"], "--print-config beside --resume"),
    ],
)
def test_errors_name_what_was_typed(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert words in run("train", *arguments, capsys=capsys, code=2)
