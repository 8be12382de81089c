"""Help screens: one of 40 lines for every command, everything by ``--help all``; and the nearest of what was mistyped."""

import os
import subprocess
import sys

import click
import pytest
from neurosim.cli.main import main, neurosim

from neurosim.training.plugins import REGISTRIES

LINES = 40


def walk(command, path):
    """Every command below one, with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from walk(command.get_command(click.Context(command), name), [*path, name])


EVERY = {" ".join(path): command for path, command in walk(neurosim, [])}
every_command = pytest.mark.parametrize("path", EVERY, ids=lambda path: path or "neurosim")


@pytest.fixture
def run(capsys, monkeypatch):
    """What a command prints on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def call(*words, code=0):
        with pytest.raises(SystemExit) as stopped:
            main(list(words))
        found = capsys.readouterr()
        assert stopped.value.code == code, found.err
        return found.err if code else found.out

    return call


@every_command
def test_help_fits_a_screen_and_has_an_example(run, path):
    text = run(*path.split(), "--help")
    lines = text.splitlines()
    assert len(lines) <= LINES and max(map(len, lines)) <= 80, f"{len(lines)} lines\n{text}"
    assert f"Example: neurosim {path or 'train'}" in " ".join(text.split()), "give it an epilog: Example: neurosim ..."


@every_command
def test_help_all_has_every_option(run, path):
    command, text = EVERY[path], run(*path.split(), "--help", "all")
    shown = {word.rstrip(",") for word in text.split()}
    for parameter in command.get_params(click.Context(command)):
        if isinstance(parameter, click.Option):
            assert set(parameter.opts) <= shown or {f"{word}," for word in parameter.opts} <= set(text.split())


@pytest.mark.parametrize("rule", [*REGISTRIES["rule"].available(), "hebb,ll"])
@pytest.mark.parametrize("data", ["toys", "cifar10", "stl10"])
def test_help_fits_whatever_is_chosen(run, rule, data):
    text = run("train", "--rule", rule, f"--data={data}", "--help")
    assert len(text.splitlines()) <= LINES, text
    assert f"[{rule}]" in text and f"[{data}]" in text


def test_help_is_of_the_recipe_that_applies(run):
    plain, other = run("train", "--help"), run("train", "--help", "--data", "cifar10", "--rule", "dtp")
    assert "defaults of the recipe toys." in plain and "defaults of the recipe dtp-photographs." in other
    assert "[100 moments]" in plain and "[50 moments]" in other
    assert "--feedback" in plain and "--feedback" not in other and "--top" in other and "--top" not in plain
    whole = " ".join(run("train", "--rule", "dtp", "-h", "all").split())
    assert "dtp: changes of every inverse a batch. [default: 1]" in whole and "[default: 50 moments]" in whole
    assert "did you mean --rule dtp?" in run("train", "--rule", "dpt", "--help", code=2)


def test_options_are_in_groups(run):
    text = run("train", "--help")
    heads = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    first = ["What is learned from", "Network", "Rule", "Error", "Plasticity", "Training", "Read-out", "Run"]
    assert [head.rstrip(":").split(",")[0].removesuffix(" of the features") for head in heads] == first


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["trian"], "No such command 'trian': did you mean train?"),
        (["quux"], "No such command 'quux': one of train, evaluate"),
        (["data", "ftch"], "did you mean fetch?"),
        (["train", "--lgas", "3"], "'--lags'"),
        (["train", "--rule", "dpt"], "did you mean --rule dtp?"),
        (["train", "--loss", "hingee"], "did you mean --loss hinge?"),
        (["train", "--order", "gready"], "did you mean --order greedy?"),
        (["train", "--recipe", "photograph"], "did you mean --recipe photographs?"),
        (["train", "--data", "cifar"], "did you mean cifar10?"),
        (["reproduce", "table11"], "'table11' is not one of 'table1', 'table2', 'curve'. Did you mean table1?"),
        (["audit", "--require", "strickt"], "Did you mean strict?"),
        (["bench", "--against", "zzz"], "'zzz' is not 'torch'"),
    ],
)
def test_the_nearest_is_named(run, words, found):
    assert found in " ".join(run(*words, code=2).split())


@pytest.mark.parametrize(
    ("words", "number", "found"),
    [
        ("neurosim train --rule ", 3, set(REGISTRIES["rule"].available())),
        ("neurosim train --rule d", 3, {"dfa", "dtp"}),
        ("neurosim train --order ", 3, {"greedy", "random", "simultaneous"}),
        ("neurosim train --lags ", 3, {"all"}),
        ("neurosim ev", 1, {"evaluate"}),
        ("neurosim train --read", 2, {"--readout", "--readout-images"}),
        ("neurosim audit --rule nowhere:A --feedback-g", 4, {"--feedback-gain"}),  # nothing of it is imported
        ("neurosim data ", 2, {"list", "fetch", "show"}),
    ],
)
def test_a_shell_completes(words, number, found):
    """As ``eval "$(_NEUROSIM_COMPLETE=bash_source neurosim)"`` asks at every tab."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(number), "_NEUROSIM_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "from neurosim.cli.main import main; main()"],
        env={**os.environ, **asked},
        capture_output=True,
        encoding="utf-8",
    )
    assert not done.stderr
    assert found <= {line.removeprefix("plain,") for line in done.stdout.splitlines()}
