"""Several seeds by one command, runs side by side, and what stops a run: as a stranger types it."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from neurosim.cli.main import main

import neurosim
from neurosim.readout.results import unpacked
from neurosim.training.folder import Run

TINY = ["--network", "4 hardtanh, 5 pool", "--batch", "10", "--epochs", "2", "--threads", "1"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Sixty pictures of three kinds that differ in where they are bright."""
    folder, rng = tmp_path_factory.mktemp("lab"), np.random.default_rng(5)
    labels = np.arange(100) % 3
    images = rng.integers(0, 220, (100, 8, 8, 3))
    for kind in range(3):
        images[labels == kind, 2 * kind : 2 * kind + 3] += 30
    images = images.astype(np.uint8)
    np.savez(folder / "a.npz", images=images[:60], labels=labels[:60], test_images=images[60:], test_labels=labels[60:])
    np.savez(folder / "bare.npz", images=images[:60])
    return folder


@pytest.fixture
def run(lab, capsys, monkeypatch):
    """What a command prints in the lab."""
    monkeypatch.chdir(lab)

    def call(*words, code=0):
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in words])
        found = capsys.readouterr()
        assert (stopped.value.code or 0) == code, found.err
        return found

    return call


@pytest.fixture
def arms(lab, run):
    """Three seeds of ll, three of bp, two of dfa, trained once."""
    for rule, seeds in (("ll", 3), ("bp", 3), ("dfa", 2)):
        if not (lab / rule).exists():
            run("train", "--data", "a.npz", *TINY, "--rule", rule, "--seeds", seeds, "--out", rule, "--quiet")
    return ["ll", "bp", "dfa"]


def test_mean_and_spread_in_the_end_and_in_a_file(lab, run, arms):
    before = {path: path.stat().st_mtime_ns for path in (lab / "ll").rglob("checkpoint.npz")}
    found = run("train", "--data", "a.npz", *TINY, "--rule", "ll", "--seeds", "3", "--out", "ll")
    assert {path: path.stat().st_mtime_ns for path in before} == before  # what is finished is not trained again
    results = json.loads((lab / "ll" / "results.json").read_text("utf-8"))
    assert results["seeds"] == [0, 1, 2] and [each["folder"] for each in results["runs"]] == [
        "seed-0",
        "seed-1",
        "seed-2",
    ]
    each = [json.loads((lab / "ll" / f"seed-{seed}" / "results.json").read_text("utf-8")) for seed in range(3)]
    assert len({one["test_accuracy"] for one in each} | {one["floor_accuracy"] for one in each}) > 2
    for key, side in (("test_accuracy", "trained"), ("floor_accuracy", "floor")):
        values = [one["curve"][-1]["layers"][1][key] for one in each]
        layer = results["layers"][1][side]
        assert layer["values"] == values and layer["mean"] == pytest.approx(np.mean(values))
        assert layer["deviation"] == pytest.approx(np.std(values, ddof=1))
    assert results["test_accuracy"] == pytest.approx(np.mean([one["test_accuracy"] for one in each]))
    assert (
        results["layers"][1]["difference"]["interval"] >= 0 and 0 <= results["layers"][1]["difference"]["p_holm"] <= 1
    )
    mean, floor = results["layers"][1]["trained"], results["layers"][1]["floor"]
    assert f"accuracy  layer 2 {100 * mean['mean']:.1f} ± {100 * mean['deviation']:.1f}  (mean and" in found.out
    assert f"floor     layer 2 {100 * floor['mean']:.1f} ± {100 * floor['deviation']:.1f}  (the same" in found.out
    assert "the noise of 3 seeds" in found.out


def test_a_kill_and_the_same_command_goes_on(lab, run, arms):
    words = ["train", "--data", "a.npz", *TINY, "--rule", "ll", "--seeds", "3", "--quiet", "--out"]
    shutil.copytree(lab / "ll", lab / "part")
    shutil.rmtree(lab / "part" / "seed-2")
    (lab / "part" / "seed-2").mkdir()  # it had not begun
    for name in ("results.json", "report.html", "checkpoint.npz"):  # the kill came before its first checkpoint
        (lab / "part" / "seed-1" / name).unlink()
    shutil.rmtree(lab / "part" / "seed-1" / "results")
    (lab / "part" / "seed-0" / "results.json").unlink()  # and this one had not been read out
    run(*words, "part")
    for seed in range(3):
        first, second = (Run.open(lab / name / f"seed-{seed}").checkpoint()[0] for name in ("ll", "part"))
        assert all(np.array_equal(first[name], second[name]) for name in first)
    left = [json.loads((lab / name / "results.json").read_text("utf-8"))["layers"] for name in ("ll", "part")]
    assert left[0] == left[1]
    other = run(*words, "part", "--rate", "0.5", code=2).err
    assert "part/seed-0 was made with --rate 0.03; expected --rate 0.5, as asked for now; choose another --out" in other
    assert "--resume beside --seeds" in run(*words, "part", "--resume", "ll/seed-0", code=2).err


def test_seeds_share_one_reading_of_the_pictures(lab, run, monkeypatch):
    from neurosim import experiment

    read, load = [], experiment.load_data
    monkeypatch.setattr(experiment, "load_data", lambda *given: read.append(given) or load(*given))
    words = ["--data", "bare.npz", *TINY, "--epochs", "1", "--seeds", "2", "--out", "bare"]
    found = run("train", *words)
    assert len(read) == 1 and "no labels to read out (2 seeds)" in found.out
    assert json.loads((lab / "bare" / "results.json").read_text("utf-8"))["test_accuracy"] is None


def test_json_and_quiet(lab, run):
    words = ["train", "--data", "a.npz", *TINY, "--epochs", "1"]
    found = run(*words, "--out", "j", "--json", "--quiet")
    assert json.loads(found.out) == json.loads((lab / "j" / "results.json").read_text("utf-8")) and not found.err
    silent = run(*words, "--out", "q", "--quiet")
    assert not silent.out and not silent.err and (lab / "q" / "results.json").is_file()
    assert "[training]" in run("train", "--quiet", "--print-config").out


def test_ctrl_c_during_the_read_out_keeps_what_was_trained(lab, run, monkeypatch):
    from neurosim.experiment import Experiment

    def stopped(*given, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(Experiment, "readout", stopped)
    words = ["train", "--data", "a.npz", *TINY, "--epochs", "1"]
    found = run(*words, "--out", "stop", code=130)
    assert (
        "stopped during the read-out; what was trained is kept in stop. Read it out with: neurosim evaluate stop"
        in found.err
    )
    found = run(*words, "--out", "stops", "--seeds", "2", code=130)
    assert "The same command goes on (stops)." in found.err
    monkeypatch.undo()
    monkeypatch.chdir(lab)
    assert "accuracy  layer 2" in run("evaluate", "stop").out
    assert "2 seeds claim nothing" in run(*words, "--out", "stops", "--seeds", "2").out


def test_compare_says_what_differs_and_what_is_noise(lab, run, arms):
    found = run("compare", *arms)
    text = " ".join(found.out.split())
    assert re.search(r"rule +ll +bp +dfa", found.out) and "batch" not in text
    assert "no violation found: " in text and "violated: not local" in text and "seeds 0, 1, 2 0, 1, 2 0, 1" in text
    values = {
        name: [
            json.loads((lab / name / f"seed-{seed}" / "results.json").read_text("utf-8"))["test_accuracy"]
            for seed in range(3)
        ]
        for name in ("ll", "bp")
    }
    difference = 100 * (np.mean(values["bp"]) - np.mean(values["ll"]))
    assert f"bp: layer 2 {difference:+.1f} ± " in text and re.search(
        r"(within|larger than) the noise of 3 seeds \(p", text
    )
    assert "dfa: layer 2" in text and "2 seeds claim nothing, 3 would" in text and "of so many test images" in text
    page = (lab / "compare.html").read_text("utf-8")
    assert "<h1>ll and bp and dfa</h1>" in page and "<svg" in page and not re.search(r"(src|href)=\"http", page)
    assert "within the noise of 3 seeds" in page or "larger than the noise of 3 seeds" in page
    alone = run("compare", "ll/seed-0", "ll/seed-1", "--out", "two.html", "--json")
    record = json.loads(alone.out)
    assert record["settings"] == {} and record["differences"][0]["reason"] == "they have no seed in common"
    assert (lab / "two.html").is_file() and record["page"] == "two.html"


def test_the_interval_of_test_images_is_paired_by_image(lab, run, arms):
    """Against the deviation of the images' own differences, from the files; without them the shares count as independent."""
    pair = json.loads(run("compare", "ll", "bp", "--json").out)["differences"][0]
    rights = {}
    for name in ("ll", "bp"):
        records = [json.loads((lab / name / f"seed-{n}" / "results.json").read_text("utf-8")) for n in range(3)]
        rights[name] = np.mean([unpacked(record["right"])[1] for record in records], axis=0)
        shares = [record["test_accuracy"] for record in records]
        assert rights[name].mean() == pytest.approx(np.mean(shares))
    over = rights["bp"] - rights["ll"]
    wanted = scipy.stats.t.ppf(0.975, len(over) - 1) * over.std(ddof=1) / np.sqrt(len(over))
    assert pair["test_images_paired"] and pair["test_interval"] == pytest.approx(wanted)
    shutil.copytree(lab / "bp", lab / "old")
    for path in (lab / "old").glob("seed-*/results.json"):
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"right": None}), encoding="utf-8")
    wide = json.loads(run("compare", "ll", "old", "--json").out)["differences"][0]
    assert not wide["test_images_paired"] and wide["test_interval"] > 0


def test_what_cannot_be_compared_is_said(lab, run, arms):
    assert "holds no run that is read out" in run("compare", "ll", ".", code=2).err
    assert "given twice" in run("compare", "ll", "ll", code=2).err
    if not (lab / "bare").exists():
        run("train", "--data", "bare.npz", *TINY, "--epochs", "1", "--seeds", "2", "--out", "bare", "--quiet")
    assert "bare: not compared; other data: a.npz and bare.npz" in run("compare", "ll", "bare").out


@pytest.mark.parametrize("live", [True, False])
def test_progress_is_a_bar_or_lines(live, capsys, monkeypatch):
    from neurosim.training.callbacks import Line, Reading

    now = iter(range(0, 1000, 4))
    monkeypatch.setattr("neurosim.training.callbacks.time.perf_counter", lambda: float(next(now)))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: live)
    monkeypatch.setenv("COLUMNS", "80")
    line = Line()
    for part in range(6):
        line.show(f"part {part}", part / 5, last=part == 5)
    line.end()
    shown = capsys.readouterr().err
    if live:
        assert shown.count("\r") == 6 and "[########------------] part 2" in shown and shown.endswith("part 5\n")
    else:
        assert shown.splitlines() == ["part 2", "part 5"]  # every 10 s, and the last
    reading = Reading()
    reading("read-out, layer 2 of 3")
    reading("floor, layers together")
    reading.end()
    shown = capsys.readouterr().err
    assert not live or (
        "[#####---------------] read-out, layer 2 of 3" in shown and "[####################] floor" in shown
    )
    line = Line()
    line.show("x" * 72, 0.5, last=True)
    line.show("x" * 90, 0.5, last=True)
    shown = capsys.readouterr().err
    assert not live or shown == f"\r[##--] {'x' * 72}\r{'x' * 79}"
    Line(quiet=True).show("nothing", 1.0, last=True)
    assert capsys.readouterr().err == ""


def docs(page, language):
    """A block of a page of the documentation."""
    text = (Path(neurosim.__file__).resolve().parent.parent / "docs" / page).read_text("utf-8")
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


def test_the_page_of_recordings(lab, run):
    run(*shlex.split(docs("recording.md", "sh"))[1:])
    names = {}
    exec(docs("recording.md", "python"), names)
    assert names["batches"].tolist() == [0, 2, 4, 6] and len(names["change"]) == 3 and (names["change"] > 0).all()


def test_the_page_of_comparisons(lab, run):
    commands = docs("comparing.md", "sh").splitlines()
    found = [run(*shlex.split(command)[1:]) for command in commands]
    assert len(found) == 3 and (lab / "runs" / "compare.html").is_file() and "noise of 3 seeds" in found[-1].out
