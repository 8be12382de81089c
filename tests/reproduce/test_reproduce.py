"""The grid of the paper's tables, from a few images in the official layouts, at a tiny scale."""

import contextlib
import csv
import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
import types

import numpy as np
import pytest
from neurosim.cli.main import main

from neurosim.data.sources.cifar10 import Cifar10
from neurosim.data.sources.cifar100 import Cifar100
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DivergenceError, WiringError
from neurosim.readout.floor import read_out
from neurosim.report import figures
from neurosim.reproduce import pool
from neurosim.reproduce.cells import BLOCKED, OPEN, TABLES
from neurosim.reproduce.grid import Grid
from neurosim.reproduce.protocol import Protocol
from neurosim.training.assembly import make_method
from neurosim.training.model import Model

TINY = ["--scale", "1e-6", "--threads", "1", "--network", "4 hardtanh pool, 5 hardtanh", "--readout", "hinge"]


@pytest.fixture(scope="module")
def stl10(tmp_path_factory):
    """Forty labelled pictures of ten kinds, twenty for the test, eighteen without a label."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("stl") / "stl10_binary"
    folder.mkdir()
    for split, count in {"train": 40, "test": 20, "unlabeled": 18}.items():
        labels = np.arange(count) % 10
        images = rng.integers(0, 100, (count, 3, 96, 96)) + 15 * labels[:, None, None, None]
        images.astype(np.uint8).tofile(folder / f"{split}_X.bin")
        if split != "unlabeled":
            (labels + 1).astype(np.uint8).tofile(folder / f"{split}_y.bin")
    return str(folder.parent)


@pytest.fixture(scope="module")
def cifars(tmp_path_factory):
    """Both sets of CIFAR in their binary layout, a few images each."""
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("cifar")
    small = {}
    for kind in (Cifar10, Cifar100):
        layout = kind.files
        small[kind] = dataclasses.replace(layout, train_rows=100 // len(layout.train), test_rows=20)
        (folder / layout.binary).mkdir()
        for file, count in small[kind].rows.items():
            labels = np.arange(count) % 10
            rows = rng.integers(0, 100, (count, 3072)) + 15 * labels[:, None]
            heads = np.repeat(labels[:, None], len(layout.limits), axis=1)
            np.hstack([heads, rows]).astype(np.uint8).tofile(folder / layout.binary / f"{file}.bin")
    return str(folder), small


@pytest.fixture
def few(cifars, monkeypatch):
    """The folder of `cifars`, and a library that takes files of so few images."""
    for kind, layout in cifars[1].items():
        monkeypatch.setattr(kind, "files", layout)
    return cifars[0]


def call(*arguments):
    """The command in this process: its exit code, what it printed and what it gave as an error."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["reproduce", *map(str, arguments)])
        except SystemExit as left:
            code = left.code or 0
    assert "Traceback" not in err.getvalue()
    return types.SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


def refused(*arguments):
    done = call(*arguments)
    lines = [line for line in done.err.splitlines() if line.strip()]
    assert done.code == 2 and len(lines) == 1 and "; expected " in lines[0], (done.code, done.out, done.err)
    return lines[0]


def test_the_whole_of_table2(stl10, tmp_path):
    done = call("table2", "--data-dir", stl10, *TINY, "--seeds", 1, "--out", tmp_path)
    assert done.code == 0, done.err
    table = TABLES["table2"]
    held = json.loads((tmp_path / "table2.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in held["rows"]] == [cell.name for cell in table.cells]
    assert "at scale 1e-06, not the paper's protocol" in held["title"] and "instead of the paper's" in held["title"]
    for row, cell in zip(held["rows"], table.cells, strict=True):
        assert (
            0 <= row["ours"] <= 100 and row["paper"] == cell.published and row["seeds"] == 1 and row["spread"] is None
        )
        if "bp" in cell.name or "clapp" in cell.name:  # bp transports weights, CLAPP too
            assert row["plausible"] == "violated" and "(iii)" in row["audit"]
        assert cell.name != "random" or row["plausible"] == "no violation found"
        layers = 2 if cell.name.startswith("ll") or cell.name == "clapp-greedy" else 1
        assert row["images seen"] == (0 if cell.name == "random" else 16 * layers)
        assert row["floor"] == (None if cell.name == "random" else held["rows"][0]["ours"])
    text = (tmp_path / "table2.md").read_text(encoding="utf-8")
    assert text in done.out and text.startswith(f"# {held['title']}\n") and text.count("\n| ") == len(table.cells) + 1
    assert (
        f"neurosim reproduce table2 --data-dir DIR --scale 1e-06 --seeds 1 --network '{TINY[5]}' --readout hinge"
        in text
    )
    lines = list(csv.DictReader((tmp_path / "table2.csv").read_text(encoding="utf-8").splitlines()))
    assert [line["name"] for line in lines] == [cell.name for cell in table.cells]
    assert (tmp_path / "table2.png").read_bytes().startswith(b"\x89PNG")
    again = call("table2", "--data-dir", stl10, *TINY, "--seeds", 1, "--out", tmp_path)
    assert again.code == 0 and f"{len(table.cells)} finished" in again.out and "[1/" not in again.out


CELLS = ["bp-block", "dtp", "dtp-transport-block", "ll-random-urf", "simclr", "clapp"]


def test_some_of_table1_with_two_seeds(few, tmp_path):
    only = [word for name in CELLS for word in ("--only", name)]
    options = [*TINY[:4], "--readout", "hinge", "--network", "4 tanh pool, 4 tanh pool, 5 tanh pool", *only]
    done = call("table1", "--data-dir", few, *options, "--seeds", 2, "--out", tmp_path)
    assert done.code == 0, done.err
    assert "encoder on CIFAR-100, read-out on CIFAR-10" in done.out
    rows = {row["name"]: row for row in json.loads((tmp_path / "table1.json").read_text(encoding="utf-8"))["rows"]}
    assert list(rows) == [
        "random",
        "random-tanh",
        "random-patches",
        "bp-block",
        "dtp",
        "dtp-transport-block",
        "ll-random-urf",
        "simclr",
        "clapp",
    ]
    assert {name for name, row in rows.items() if row["plausible"] == "no violation found"} == {
        "random",
        "random-tanh",
        "random-patches",
        "dtp",
        "ll-random-urf",
    }
    for row in rows.values():
        assert row["seeds"] == 2 and row["spread"] is not None and len(row["each"]) == 2
        assert row["ours"] == pytest.approx(np.mean(row["each"])) and row["spread"] == pytest.approx(
            np.std(row["each"], ddof=1)
        )
    one = json.loads((tmp_path / "cells" / "dtp-seed1.json").read_text(encoding="utf-8"))
    assert one["made with"]["data"] == "cifar100" and one["made with"]["read-out data"] == "cifar10"
    assert not list(tmp_path.glob("runs/*/checkpoint.npz"))


def test_a_floor_is_the_top_layer_of_a_whole_read_out(few, tmp_path):
    done = call("table1", "--data-dir", few, *TINY, "--seeds", 1, "--only", "random", "--out", tmp_path)
    assert done.code == 0
    kept = json.loads((tmp_path / "cells" / "random-seed0.json").read_text(encoding="utf-8"))
    options = {"network": TINY[5], "readout": TINY[7], "data_dir": few, "threads": 1}
    grid = Grid(TABLES["table1"], tmp_path, 1e-6, 1, ("random",), **options)
    with ThreadTeam(1) as team:
        config = grid.config(grid.cells[0], 0)
        encoder = Model(config, grid.read.image_shape).encoder(untrained=True)
        layers = read_out(encoder, grid.read, make_method(config), team)
    assert len(layers) == 2 and kept["test_accuracy"] == layers[-1] != layers[0]


def test_cifar10_alone_is_said(few, tmp_path):
    options = ["--data-dir", few, *TINY, "--seeds", 1, "--only", "random", "--encoder-data", "cifar10"]
    done = call("table1", *options, "--out", tmp_path)
    assert done.code == 0 and "Table 1 at scale 1e-06, not the paper's protocol: CIFAR-10 alone" in done.out


def accuracies(folder):
    """Of every finished cell, by its file's name; and what each was made with."""
    kept = {
        path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "cells").glob("*.json"))
    }
    return {name: (held["test_accuracy"], held["made with"], held["verdict"]) for name, held in kept.items()}


SOME = ["--only", "bp", "--only", "ll-greedy-rf"]


def test_cells_side_by_side_give_what_they_give_one_after_another(stl10, tmp_path):
    options = ["table2", "--data-dir", stl10, *TINY, "--seeds", 2, *SOME]
    one = call(*options, "--out", tmp_path / "one")
    two = call(*options, "--threads", 2, "--out", tmp_path / "two")
    assert one.code == two.code == 0, two.err
    assert "2 cells at a time, 1 thread each" in two.out and "at a time" not in one.out
    assert accuracies(tmp_path / "two") == accuracies(tmp_path / "one") and len(accuracies(tmp_path / "one")) == 6
    again = call(*options, "--threads", 2, "--out", tmp_path / "two")
    assert again.code == 0 and "6 finished" in again.out and "at a time" not in again.out
    dry = call(*options, "--jobs", 2, "--dry-run", "--out", tmp_path / "dry")
    assert dry.code == 0 and "2 cells at a time" in dry.out and not (tmp_path / "dry").exists()


def test_cells_side_by_side_stop_and_go_on(stl10, tmp_path):
    """Ctrl-C while two cells are trained: both are saved, the exit code is 130, and the same command ends as if nothing was."""
    options = ["table2", "--data-dir", stl10, *TINY, "--scale", "0.0005", "--seeds", 1, *SOME]
    whole = call(*options, "--out", tmp_path / "whole")
    assert whole.code == 0, whole.err
    words = [*options, "--threads", 2, "--out", tmp_path / "part"]
    start = [sys.executable, "-c", "from neurosim.cli.main import main; main()", "reproduce", *map(str, words)]
    with subprocess.Popen(
        start, stderr=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", start_new_session=True
    ) as process:
        for line in process.stderr:
            if "begins" in line and "random" not in line:
                break
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process
        _, shown = process.communicate()
    assert process.returncode == 130 and "The same command goes on" in shown and "Traceback" not in shown, shown
    on = call(*words)
    assert on.code == 0, on.err
    assert accuracies(tmp_path / "part") == accuracies(tmp_path / "whole")


def test_a_cell_that_fails_is_named_and_the_others_are_finished(stl10, tmp_path, monkeypatch):
    options = ["table2", "--data-dir", stl10, *TINY, "--seeds", 1, *SOME, "--threads", 2, "--out", tmp_path]

    def message():
        done = call(*options)
        *begun, line = done.err.splitlines()
        assert done.code == 2 and all(each.endswith("begins") for each in begun) and "; expected " in line, done.err
        for name, text in json.loads((tmp_path / "table2.json").read_text("utf-8"))["failed"].items():
            assert f"{name}: failed: {text}" in done.out and f"- {name}, failed: {text}" in done.out
        return line

    (tmp_path / "cells" / "bp-seed0.json").mkdir(parents=True)  # nothing can be kept there
    assert "1 cell failed and the others are finished; the first was bp, seed 0 (" in message()
    assert {path.name for path in (tmp_path / "cells").iterdir() if path.is_file()} == {
        "random-seed0.json",
        "ll-greedy-rf-seed0.json",
    }
    (tmp_path / "cells" / "bp-seed0.json").rmdir()
    (tmp_path / "cells" / "ll-greedy-rf-seed0.json").unlink()
    submit = pool.Worker.submit

    def kill(self, *task):
        submit(self, *task)
        self._process.kill()

    monkeypatch.setattr(pool.Worker, "submit", kill)
    assert (
        "2 cells failed" in (line := message()) and "(its process ended with exit code -9); expected a result" in line
    )
    monkeypatch.undo()
    assert call(*options).code == 0


def test_cells_one_after_another_go_on_after_one_that_failed(few, tmp_path, monkeypatch):
    finish = Grid.finish

    def some(self, cell, *rest):
        if cell.name == "random":
            raise DivergenceError("training diverged", "numbers", "try another rate")
        return finish(self, cell, *rest)

    monkeypatch.setattr(Grid, "finish", some)
    done = call("table1", "--data-dir", few, *TINY, "--seeds", 1, "--only", "random*", "--out", tmp_path)
    assert done.code == 3 and "1 cell failed and the others are finished; the first was random, seed 0" in done.err
    assert "- random, seed 0, failed: training diverged" in done.out and len(accuracies(tmp_path)) == 2


def test_cells_at_a_time_are_limited_by_memory(few, tmp_path, monkeypatch):
    from neurosim.cli import reproduce

    options = ["table1", "--data-dir", few, *TINY, "--seeds", 2, "--only", "random", "--threads", 4, "--out", tmp_path]
    monkeypatch.setattr(reproduce.forecast, "memory", lambda grid: 10**9)
    for free, words in ((10**8, "1 cell at a time"), (2 * 10**9, "")):
        monkeypatch.setattr(reproduce, "room", lambda free=free: free)
        done = call(*options, "--dry-run")
        assert (words in done.out) if words else ("memory" not in done.out and "2 cells at a time" in done.out)
    monkeypatch.setattr(reproduce, "room", lambda: 10**8)
    assert "fits 1" in call(*options, "--jobs", 2, "--dry-run").err


WORKERS = """import dataclasses, os, sys, threading, time
from neurosim.reproduce import pool
from neurosim.reproduce.cells import TABLES

@dataclasses.dataclass
class Sleeper:
    name: str
    def attempt(self, cell, seed, team, on_stage, audit):
        print(os.getpid(), flush=True)
        time.sleep(1000)

if __name__ == "__main__":
    worker = pool.Worker(Sleeper("a"), 1)
    worker.submit(TABLES["table1"].cells[0], 0, None)
    time.sleep(1000)
"""


def test_no_process_outlives_the_one_that_started_it(tmp_path):
    """Killed so that it can tell nobody: whoever writes to its output ends, too, or reading that would never end."""
    (tmp_path / "workers.py").write_text(WORKERS, "utf-8")
    with subprocess.Popen([sys.executable, tmp_path / "workers.py"], stdout=subprocess.PIPE) as process:
        assert int(process.stdout.readline()) != process.pid  # it is at work
        process.kill()
        assert process.communicate(timeout=60)[0] == b""


def test_without_matplotlib_one_line_says_so(few, tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "can_plot", lambda: False)
    done = call("table1", "--data-dir", few, *TINY, "--seeds", 1, "--only", "random", "--out", tmp_path)
    assert done.code == 0 and "pip install 'neurosim[plots]'" in done.out and not (tmp_path / "table1.png").exists()


def test_a_grid_stopped_in_the_middle_of_a_cell_goes_on_to_the_same_bits(few, tmp_path, monkeypatch):
    from neurosim.training.trainer import Trainer

    options = ["table1", "--data-dir", few, *TINY, "--scale", "0.0005", "--seeds", 1, "--only", "ll-random-urf-block"]
    whole = call(*options, "--out", tmp_path / "whole")
    assert whole.code == 0, whole.err
    batch, ran = Trainer._batch, []

    def counted(self, team):
        batch(self, team)
        ran.append(self.progress.done)
        if len(ran) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Trainer, "_batch", counted)
    part = call(*options, "--out", tmp_path / "part")
    assert part.code == 130 and "The same command goes on" in part.err
    assert (tmp_path / "part" / "cells" / "random-seed0.json").is_file()
    assert (tmp_path / "part" / "runs" / "ll-random-urf-block-seed0" / "checkpoint.npz").is_file()
    on = call(*options, "--out", tmp_path / "part")
    assert on.code == 0 and ran == list(range(1, len(ran) + 1))  # no batch twice
    paths = [tmp_path / name / "cells" / "ll-random-urf-block-seed0.json" for name in ("whole", "part")]
    mine, theirs = (json.loads(path.read_text(encoding="utf-8")) for path in paths)
    assert {k: v for k, v in mine.items() if k != "seconds"} == {k: v for k, v in theirs.items() if k != "seconds"}


def test_a_cell_killed_before_its_first_checkpoint_begins_anew(few, tmp_path):
    options = ["table1", "--data-dir", few, *TINY, "--seeds", 1, "--only", "bp", "--out", tmp_path]
    (tmp_path / "runs" / "bp-seed0").mkdir(parents=True)
    (tmp_path / "runs" / "bp-seed0" / ".config.json.abc").write_text("{", encoding="utf-8")
    assert call(*options).code == 0
    (tmp_path / "cells" / "bp-seed0.json").unlink()  # its run is there, without a checkpoint
    assert call(*options).code == 0 and (tmp_path / "cells" / "bp-seed0.json").is_file()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 99}, "has format 99"),
        ({"neurosim": "0.0.0"}, "written by neurosim 0.0.0"),
        ({"test_accuracy": None}, "has no test_accuracy"),
        ({"made with": None}, "it has no made with"),
        ("text", "cannot be read"),
    ],
    ids=str,
)
def test_a_result_of_another_version_is_refused(few, tmp_path, change, words):
    options = ["table1", "--data-dir", few, *TINY, "--seeds", 1, "--only", "random", "--out", tmp_path]
    assert call(*options).code == 0
    path = tmp_path / "cells" / "random-seed0.json"
    held = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(change, dict):
        ((name, value),) = change.items()
        held = {k: v for k, v in held.items() if k != name} | ({name: value} if value is not None else {})
    path.write_text(json.dumps(held) if isinstance(change, dict) else "{", encoding="utf-8")
    before = path.read_bytes()
    assert words in refused(*options) and path.read_bytes() == before


def test_a_folder_of_another_protocol_is_refused(few, tmp_path):
    options = ["table1", "--data-dir", few, *TINY, "--seeds", 1, "--only", "bp", "--out", tmp_path]
    assert call(*options).code == 0
    assert "batch 16, epochs 1, images 16; expected batch 50, epochs 4, images 50" in refused(
        *options, "--scale", "0.001"
    )
    assert "data cifar100" in refused(*options, "--encoder-data", "cifar10")
    (tmp_path / "cells" / "bp-seed0.json").unlink()
    (tmp_path / "cells" / "random-seed0.json").unlink()
    assert "was made with" in refused(*options, "--readout", "knn")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scale", "0"], "--scale 0"),
        (["--scale", "2"], "--scale 2"),
        (["--scale", "nan"], "--scale nan"),
        (["--seeds", "0"], "--seeds 0"),
        (["--only", "bp", "--only", "backprop"], "--only backprop of table1"),
        (["--network", "4 relu"], "layer 1"),
        (["--readout", "svm"], "unknown readout 'svm'"),
        (["--encoder-data", "stl11"], "no data set"),
        (["--jobs", "0"], "--jobs 0"),
        (["--network", "4 pool, 4 pool, 4 pool, 4 pool, 4 pool, 4 pool"], "layer 6 pools"),
        (["--threads", "0"], "--threads 0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_run_is_refused_in_one_line(few, tmp_path, options, words):
    assert words in refused(
        "table1", "--data-dir", few, "--scale", "1e-6", "--seeds", 1, *options, "--out", tmp_path / "x"
    )
    assert not (tmp_path / "x").exists()


def test_missing_files_are_one_line(tmp_path):
    assert "neurosim data fetch stl10" in refused("table2", "--data-dir", tmp_path)
    assert "neurosim data fetch cifar10" in refused("table1", "--data-dir", tmp_path)


def test_list_and_dry_run_do_nothing(few, tmp_path):
    listed = call("table1", "--list", "--only", "ll-*-bp*")
    assert [line.split()[:2] for line in listed.out.splitlines()] == [
        ["random", "61.23"],
        ["ll-greedy-bp", "72.76"],
        ["ll-greedy-bp-block", "71.14"],
        ["ll-random-bp", "71.35"],
        ["ll-random-bp-block", "71.17"],
    ]
    dry = call("table1", "--data-dir", few, *TINY, "--only", "rf", "--dry-run", "--out", tmp_path / "x")
    assert dry.code == 0, dry.err
    assert "expected  " in dry.out and "of training" in dry.out and not (tmp_path / "x").exists()


def protocol(scale, table="table1", available=50_000, labelled=50_000):
    return Protocol(TABLES[table], scale, TABLES[table].encoder, available, labelled)


def test_scale_one_is_the_paper_s_protocol():
    cells = {cell.name: cell for cell in TABLES["table1"].cells}
    for name, rate in (("bp", 1e-4), ("dtp-transport", 2e-4)):
        config = protocol(1.0).config(cells[name], 7)
        training, how = config.training, config.plasticity
        assert (config.data.images, training.batch, training.epochs) == (50_000, 500, 400)
        assert (how.rate, how.name, how.schedule, how.head_rate) == (rate, "adam", "constant", 1)
        assert (config.data.name, config.readout.name, config.readout.images) == ("cifar100", "adam", 50_000)
        assert (training.seed, config.loss.match, config.rule.feedback_gain) == (7, False, 1)
    options = config.rule.options
    assert options["inverse_rate"] == 5.0
    assert (options["noise"], options["target_step"], options["top"]) == (1.0, 0.5, "transport")
    blocked = protocol(1.0).config(cells["ll-greedy-urf-block"], 0)
    assert (blocked.rule.block, blocked.network.name) == (True, "conv5")
    assert (blocked.loss.options["lags"], blocked.loss.options["negative_weight"]) == (5, 0.2)
    assert (
        protocol(1.0).config(cells["bp"], 0).loss.options["lags"] is None
        and "the paper's protocol" in protocol(1.0).title()
    )


def test_scale_one_shows_pictures_as_the_authors_code_does():
    """Half of the views keep their geometry and pixels lie in 0..1; dtp, its floor and patches are as they were."""
    for cell in TABLES["table1"].cells:
        views = protocol(1.0).config(cell, 0).views
        other = "tanh" in cell.name or "dtp" in cell.name or "patches" in cell.name or "clapp" in cell.name
        assert views.pixels == ("centred" if other else "unit")
        assert views.options["deform_share"] == (1.0 if other else 0.5)
        scaled = protocol(0.001).config(cell, 0).views
        assert (scaled.pixels, scaled.options["deform_share"]) == ("centred", 1.0)


@pytest.mark.parametrize("scale", [1.0, 0.3, 0.02, 0.001])
@pytest.mark.parametrize("table", TABLES)
def test_a_scale_is_the_share_of_the_images_seen(scale, table):
    whole, part = protocol(1.0, table), protocol(scale, table)
    seen = part.images * part.epochs / (whole.images * whole.epochs)
    assert seen == pytest.approx(scale, rel=1e-3)
    if part.batch > 16:
        assert part.images / part.batch == pytest.approx(whole.images / whole.batch, rel=0.03)
    assert whole.rate <= part.rate <= 1e-3


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5, float("nan"), float("inf")])
def test_scales_that_are_none(scale):
    with pytest.raises(WiringError, match=r"^scale="):
        protocol(scale)


def test_every_published_number_stands_once():
    """The two tables as printed, row by row."""
    first = {(c.row, c.column): c.published for c in TABLES["table1"].cells if c.published}
    assert first["end to end, bp", OPEN] == 71.44 and first["end to end, bp", BLOCKED] == 70.35
    assert len(first) == 20 + 4 and len({c.name for c in TABLES["table1"].cells}) == len(TABLES["table1"].cells)
    second = sorted(c.published for c in TABLES["table2"].cells)
    assert second == sorted(
        [46.78, 70.13, 55.01, 68.26, 68.26, 60.0, 68.8, 68.8, 60.5, 64.61, 64.61, 55.14, 71.88, 68.74]
    )
