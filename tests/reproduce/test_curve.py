"""Accuracy against budget and labels, on a few images in CIFAR-10's layout."""

import contextlib
import csv
import dataclasses
import io
import json

import numpy as np
import pytest
from neurosim.cli.main import main

from neurosim.data.sources.cifar10 import Cifar10
from neurosim.report import budgets, figures
from neurosim.reproduce import curve, grid
from neurosim.training.folder import Run
from neurosim.training.plugins import REGISTRIES

NETWORK = "4 pool, 5 inhibited"
ASKED = ("--minutes", "0.002,0.004", "--labels", "20,60", "--only", "hebb-*", "--only", "ll-*", "--seeds", "2")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of 100 images to learn from and 20 to be asked about, of kinds that differ in brightness."""
    rng, folder = np.random.default_rng(1), tmp_path_factory.mktemp("cifar")
    layout = dataclasses.replace(Cifar10.files, train_rows=20, test_rows=20)
    (folder / layout.binary).mkdir()
    for file, count in layout.rows.items():
        labels = np.arange(count) % 10
        rows = rng.integers(0, 100, (count, 3072)) + 15 * labels[:, None]
        np.hstack([labels[:, None], rows]).astype(np.uint8).tofile(folder / layout.binary / f"{file}.bin")
    return str(folder), layout


def call(*arguments):
    """The command in this process: its exit code, what it printed and what it gave as an error."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["reproduce", *map(str, arguments)])
        except SystemExit as end:
            code = end.code or 0
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """A finished grid: where it is, what was typed, and what was printed."""
    folder = tmp_path_factory.mktemp("curve") / "grid"
    words = ["curve", "--data-dir", data[0], *ASKED, "--network", NETWORK, "--threads", 1, "--out", folder]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cifar10, "files", data[1])
        return folder, words, call(*words)


def test_every_rule_has_every_budget():
    names = {cell.name for cell in curve.table((5, 1)).cells}
    rules = set(REGISTRIES["rule"].available()) - {"none"}
    assert names == {f"{rule}-{minutes}" for rule in (*rules, "record") for minutes in (1, 5)}
    assert curve.table((5, 1, 5)).budgets == [1, 5]


def test_a_row_a_rule_budget_and_number_of_labels(made):
    folder, _, (code, out, err) = made
    assert code == 0, err
    rows = json.loads((folder / "curve.json").read_text("utf-8"))["rows"]
    shown = [(row["rule"], row["minutes"], row["labels"]) for row in rows]
    assert shown == [(r, m, n) for m in (0.002, 0.004) for r in ("hebb", "ll") for n in (20, 60)]
    assert all(row["seeds"] == 2 and len(row["each"]) == 2 and row["spread"] is not None for row in rows)
    for row in rows:
        cells = [
            json.loads((folder / "cells" / f"{row['rule']}-{row['minutes']}-seed{seed}.json").read_text("utf-8"))
            for seed in (0, 1)
        ]
        best = [p["best"] for c in cells for p in c["readout"]["curve"] if p["labels"] == row["labels"]]
        assert row["accuracy"] == pytest.approx(100 * np.mean([b["test_accuracy"] for b in best]))
        assert row["floor"] == pytest.approx(100 * np.mean([b["floor_accuracy"] for b in best]))
    assert "| hebb | 0.002 | " in out and "no violation" not in out and "60 labels (floor)" in out
    with (folder / "curve.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    assert "--minutes 0.002,0.004 --labels 20,60" in out and "--scale" not in out


def test_the_same_command_trains_nothing_again(made, data, monkeypatch):
    folder, words, _ = made
    monkeypatch.setattr(Cifar10, "files", data[1])
    before = {path: path.read_bytes() for path in (folder / "cells").iterdir()}
    assert len(before) == 8
    code, out, _ = call(*words)
    assert code == 0 and "8 finished" in out
    assert before == {path: path.read_bytes() for path in (folder / "cells").iterdir()}


def test_a_cell_that_was_stopped_goes_on_with_what_its_minutes_bought(made, data, monkeypatch):
    folder, words, _ = made
    monkeypatch.setattr(Cifar10, "files", data[1])
    bought = Run.open(folder / "runs" / "hebb-0.004-seed1").config.training
    kept = folder / "cells" / "hebb-0.004-seed1.json"
    seen = json.loads(kept.read_text("utf-8"))["images_seen"]
    kept.unlink()
    monkeypatch.setattr(grid, "within", lambda *_: pytest.fail("a budget is measured once"))
    assert call(*words)[0] == 0
    after = Run.open(folder / "runs" / "hebb-0.004-seed1").config.training
    assert (after.epochs, after.batches) == (bought.epochs, bought.batches)
    assert json.loads(kept.read_text("utf-8"))["images_seen"] == seen


def test_cells_of_a_table_take_minutes_in_place_of_epochs(data, tmp_path, monkeypatch):
    """Floors learn nothing and have none; what the minutes bought stays as it was when a cell goes on."""
    monkeypatch.setattr(Cifar10, "files", data[1])
    words = ["table1", "--data-dir", data[0], "--encoder-data", "cifar10", "--network", NETWORK, "--seeds", 1]
    words += ["--minutes", "0.002", "--only", "ll-greedy-urf-block", "--threads", 1, "--out", tmp_path]
    code, out, _ = call(*words)
    assert code == 0 and "with 0.002 minutes of training a cell" in out and "as often as minutes allow" in out
    results = {path.stem: json.loads(path.read_text("utf-8")) for path in (tmp_path / "cells").iterdir()}
    cell = results["ll-greedy-urf-block-seed0"]
    assert cell["images_seen"] > 0 and cell["made with"]["minutes"] == 0.002 and "epochs" not in cell["made with"]
    assert {name: each["images_seen"] for name, each in results.items() if each is not cell} == {"random-seed0": 0}
    monkeypatch.setattr(grid, "within", lambda config, *_: config.training.minutes and pytest.fail("measured once"))
    (tmp_path / "cells" / "ll-greedy-urf-block-seed0.json").unlink()
    assert call(*words)[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("table1", "--minutes", "1,5"), "--minutes 1,5 with table1"),
        (("table1", "--labels", "100"), "--labels 100 with table1"),
        (("curve", "--minutes", "soon"), "--minutes soon with curve"),
        (("curve", "--minutes", "0"), "minutes=(0.0,)"),
        (("curve", "--scale", "0.1"), "--scale 0.1 with curve"),
        (("curve", "--device", "gpu"), "device"),
    ],
)
def test_words_that_do_not_belong_are_refused(data, monkeypatch, words, says):
    monkeypatch.setattr(Cifar10, "files", data[1])
    code, _, err = call(*words, "--data-dir", data[0])
    assert code == 2 and says in err and "Traceback" not in err


def test_the_cells_are_listed():
    code, out, _ = call("curve", "--list", "--minutes", "2", "--only", "ll-*")
    assert code == 0 and out.split() == ["ll-2", "-", "ll,", "2", "min"]


@pytest.mark.skipif(not figures.can_plot(), reason="matplotlib is not installed")
def test_the_figure_is_a_picture(made):
    rows = json.loads((made[0] / "curve.json").read_text("utf-8"))["rows"]
    assert budgets.curves(rows, "title")[:4] == b"\x89PNG" and (made[0] / "curve.png").exists()
