"""A folder of somebody else's is data: code that it names is not run, whatever is done with the folder."""

import json
import shutil
import sys

import numpy as np
import pytest
from neurosim.cli.main import main

import neurosim as ns
from neurosim.errors import RunError
from neurosim.training.trust import foreign, require_trust

CODE = '''
from pathlib import Path
from neurosim.rules.ll import LayerWise
(Path(__file__).parent / "ran").touch()
class Mine(LayerWise):
    """A rule of one's own."""
    name = ""
'''
WORDS = {"network": "4 pool, 5 pool", "batch": 8, "epochs": 1, "readout_images": 10, "threads": 1}


@pytest.fixture(scope="module")
def lab(tmp_path_factory, archive):
    """A folder with code in it, a run of that code, and a file of its weights."""
    folder = tmp_path_factory.mktemp("trust")
    (folder / "others.py").write_text(CODE, encoding="utf-8")
    sys.path.insert(0, str(folder))
    experiment = ns.Experiment(rule="others:Mine", data=str(archive), **WORDS).fit(folder / "run")
    experiment.write_results(experiment.readout())
    ns.export.write(experiment, folder / "weights.npz")
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture
def asleep(lab):
    """As if the code had never been imported."""
    sys.modules.pop("others", None)
    (lab / "ran").unlink(missing_ok=True)
    return lab


def typed(*words):
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    return ended.value.code or 0


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "run"),
        ("evaluate", "run", "--trust", "others:Other"),
        ("evaluate", "--weights", "weights.npz"),
        ("encode", "run", "toys", "out.npz"),
        ("export", "run", "out.npz"),
        ("train", "--resume", "run"),
        ("audit", "run"),
    ],
    ids=" ".join,
)
def test_no_command_runs_what_only_the_folder_names(words, asleep, monkeypatch, capsys):
    monkeypatch.chdir(asleep)
    assert typed(*words) == 2
    assert (
        "others:Mine" in (text := capsys.readouterr().err)
        and "--trust others:Mine" in text
        and "nothing was run" in text
    )
    assert not (asleep / "ran").exists() and "others" not in sys.modules


def test_compare_runs_nothing_at_all(asleep, monkeypatch, capsys):
    monkeypatch.chdir(asleep)
    assert typed("compare", "run", "--out", "page.html") == 0
    assert not (asleep / "ran").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "run", "--trust", "others:Mine"),
        ("train", "--resume", "run", "--rule", "others:Mine"),
        ("train", "--resume", "run", "--trust", "others:Mine"),
        ("evaluate", "--weights", "weights.npz", "--trust", "others:Mine"),
    ],
    ids=" ".join,
)
def test_what_is_named_again_is_run(words, asleep, monkeypatch, capsys):
    monkeypatch.chdir(asleep)
    assert typed(*words) == 0, capsys.readouterr().err
    assert (asleep / "ran").exists()


def test_from_python(asleep):
    for call in (ns.load, ns.Experiment.resume):
        with pytest.raises(RunError, match="--trust others:Mine"):
            call(asleep / "run")
    with pytest.raises(RunError, match="--trust others:Mine"):
        ns.export.load(asleep / "weights.npz")
    assert not (asleep / "ran").exists()
    assert ns.export.load(asleep / "weights.npz", rule="none").config.rule.name == "none"
    assert not (asleep / "ran").exists()
    assert ns.load(asleep / "run", trust=["others:Mine"]).progress.done > 0


@pytest.mark.parametrize(
    ("section", "field", "name"),
    [
        ("rule", "name", "hebb,others:Mine"),
        ("loss", "name", "others:Mine"),
        ("plasticity", "name", "others:Mine"),
        ("network", "name", "others:Mine"),
        ("data", "name", "others:Mine"),
        ("views", "deformation", "others:Mine"),
    ],
)
def test_every_part_that_a_folder_may_name(section, field, name, asleep, tmp_path):
    shutil.copytree(asleep / "run", tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    record = json.loads(path.read_text("utf-8"))
    record["rule"]["name"] = "ll"
    record[section][field] = name
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(RunError, match="names others:Mine, which is not neurosim's own: nothing was run"):
        ns.load(tmp_path / "run")
    assert not (asleep / "ran").exists()


def test_names_of_our_own_are_not_foreign():
    assert foreign({"rule": {"name": "hebb,ll"}, "data": {"name": "folder:a,b"}, "loss": None}) == []
    assert foreign({"rule": {"name": "m:R"}}, ["rule"]) == []
    require_trust("x", ["m:R"], ["hebb,m:R"])


def test_what_stands_in_a_name_is_shown_and_not_obeyed(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", **{"im\x1b]0;owned\x07ages": np.zeros((2, 4, 4, 3), np.uint8)})
    assert typed("train", "--data", tmp_path / "a.npz") == 2
    error = capsys.readouterr().err
    assert "\\x1b]0;owned\\x07" in error and "\x1b" not in error and "\x07" not in error
