"""The command line as a stranger types it: what it prints, what it leaves behind, how it refuses."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from neurosim.training.folder import Run

TINY = ["--network", "4 hardtanh, 6 pool", "--batch", "10", "--epochs", "2", "--rate", "0.02", "--threads", "2"]
TINY += ["--schedule", "constant"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Sixty pictures of three kinds that differ in where they are bright."""
    rng = np.random.default_rng(5)
    labels = np.arange(80) % 3
    images = rng.integers(0, 120, (80, 8, 8, 3))
    for kind in range(3):
        images[labels == kind, 2 * kind : 2 * kind + 3] += 120
    path = tmp_path_factory.mktemp("data") / "bright.npz"
    images = images.astype(np.uint8)
    np.savez(path, images=images[:60], labels=labels[:60], test_images=images[60:], test_labels=labels[60:])
    return str(path)


def call(*arguments, where=None):
    """Run the command; no traceback whatever happens."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "from neurosim.cli.main import main; main()", *arguments],
        capture_output=True,
        encoding="utf-8",
        cwd=where,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def refused(*arguments, where=None):
    """The one line of an error, exit code 2."""
    done = call(*arguments, where=where)
    assert done.returncode == 2, (done.returncode, done.stderr, done.stdout)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert lines[-1].lower().startswith("error: ") and len(lines) <= 4
    return lines[-1]


def test_train_says_what_it_will_do_does_it_and_says_what_came(archive, tmp_path):
    done = call("train", "--data", archive, *TINY, "--out", "runs/a", where=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("recipe    photographs: photographs, where")
    assert "network   4 hardtanh, 6 pool: 4 hardtanh, 6 pool" in lines[1] and "8x8x3 -> 8x8x4 -> 4x4x6" in lines[2]
    assert any("F2: ez2 -> layer 2 (urf" in line for line in lines)
    assert [line.split()[0] for line in lines[-5:]] == ["accuracy", "floor", "gain", "time", "run"]
    table = next(number for number, line in enumerate(lines) if line.startswith("linear read-out, % of test images"))
    assert [line.split()[0] for line in lines[table + 1 : table + 6]] == [
        "labels",
        "layer",
        "layer",
        "together",
        "best",
    ]
    assert "epoch 2/2" in done.stderr
    folder = tmp_path / "runs" / "a"
    assert sorted(p.name for p in folder.iterdir()) == [
        "audit.json",
        "checkpoint.npz",
        "config.json",
        "metrics.csv",
        "record",
        "report.html",
        "results",
        "results.json",
    ]
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert {"test_accuracy", "floor_accuracy", "per_layer", "images_per_second", "seconds", "rule", "wiring"} <= set(
        results
    )
    assert results["rule"] == "ll" and len(results["per_layer"]) == 2 and results["test_accuracy"] > 0.5
    assert results["wiring"] == json.loads((folder / "config.json").read_text(encoding="utf-8"))["wiring"]
    assert len(Run.open(folder).metrics()) == 2
    assert f"layer 2 {100 * results['test_accuracy']:.1f} ± " in lines[-5]
    assert [point["labels"] for point in results["curve"]] == [60] and results["learned_layers"] == [1, 2]

    again = call("evaluate", "runs/a", where=tmp_path)
    assert again.returncode == 0 and again.stdout.splitlines()[:-1] == lines[table:-2]
    assert "were read out before" in again.stdout.splitlines()[-1]
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == results

    assert "runs/a exists" in refused("train", "--data", archive, *TINY, "--out", "runs/a", where=tmp_path)
    on = call("train", "--resume", "runs/a", "--epochs", "3", where=tmp_path)
    assert on.returncode == 0 and len(Run.open(folder).metrics()) == 3


def test_a_killed_run_goes_on_to_the_same_bits(archive, tmp_path):
    options = ["train", "--data", archive, *TINY, "--epochs", "20", "--checkpoint-every", "0"]
    whole = call(*options, "--out", "whole", where=tmp_path)
    command = [sys.executable, "-c", "from neurosim.cli.main import main; main()", *options, "--out", "part"]
    child = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (tmp_path / "part" / "checkpoint.npz").exists():
        assert child.poll() is None
        time.sleep(0.01)
    child.kill()
    child.wait()
    on = call("train", "--resume", "part", where=tmp_path)
    assert whole.returncode == on.returncode == 0, on.stderr
    first, second = (Run.open(tmp_path / name).checkpoint()[0] for name in ("whole", "part"))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not [p.name for p in (tmp_path / "whole").iterdir() if p.name.startswith(".")]


def test_ctrl_c_saves_first(archive, tmp_path):
    command = [
        sys.executable,
        "-c",
        "from neurosim.cli.main import main; main()",
        "train",
        "--data",
        archive,
        *TINY,
        "--epochs",
        "5000",
        "--out",
        "part",
    ]
    child = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    while not (tmp_path / "part" / "metrics.csv").exists():
        assert child.poll() is None
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130 and "neurosim train --resume part" in errors and "Traceback" not in errors
    assert Run.open(tmp_path / "part").checkpoint()[1]["done"] > 0


def test_unlabelled_images_train_and_say_so(tmp_path):
    np.savez(tmp_path / "bare.npz", images=np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3)).astype(np.uint8))
    done = call("train", "--data", "bare.npz", *TINY, "--out", "a", where=tmp_path)
    assert done.returncode == 0 and "no labels to read out" in done.stdout
    assert json.loads((tmp_path / "a" / "results.json").read_text(encoding="utf-8"))["test_accuracy"] is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rule", "dpt"], "unknown rule 'dpt'"),
        (["--rule", "bp", "--noise", "0.5"], "rule bp has no option noise"),
        (["--rule", "dtp", "--network", "4 pool, 4 pool, 4 pool, 4 pool"], "layer 1: 4x4x4"),
        (["--rule", "urf", "--feedback", "rf"], "rule urf has no option feedback"),
        (["--loss", "mse"], "unknown loss 'mse'"),
        (
            ["--temperature", "0.5"],
            "loss hinge has no option temperature (--temperature 0.5); expected options delta, lags",
        ),
        (["--loss", "simclr", "--lags", "5"], "loss simclr has no option lags (--lags 5)"),
        (["--lags", "1"], "--lags 1; expected a whole number of at least 2, or 'all'; write --lags 5"),
        (["--lags", "many"], "'many'; expected a whole number of at least 2, or 'all'"),
        (["--network", "4 pool, 4 pool, 4 pool, 4 pool"], "layer 1: 4x4x4"),
        (["--batch", "61"], "60 training images and a batch of 61"),
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--threads", "0"], "--threads 0"),
        (["--data", "toy"], "toys"),
        (["--data", "missing.npz"], "missing.npz"),
        (["--data", "cifar10", "--data-dir", "nowhere"], "neurosim data fetch cifar10"),
        (["--resume", "nowhere"], "--batch beside --resume"),
        (["--checkpoint-every", "-1"], "--checkpoint-every -1"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(archive, tmp_path, options, words):
    assert words in refused("train", "--data", archive, *TINY, *options, where=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_class_is_refused_before_training(tmp_path):
    images = np.zeros((40, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "one.npz", images=images, labels=np.zeros(40, int))
    assert "class" in refused("train", "--data", "one.npz", *TINY, where=tmp_path)


def test_resume_and_evaluate_without_a_run(tmp_path):
    assert "holds no config.json" in refused("train", "--resume", "a", where=tmp_path)
    assert "holds no config.json" in refused("evaluate", "a", where=tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "config.json").write_text("{", encoding="utf-8")
    assert "cannot be read" in refused("evaluate", "a", where=tmp_path)


@pytest.mark.parametrize("rule", ["none", "bp", "rf", "urf", "sign", "ll"])
def test_explain_prints_every_step(rule):
    done = call("explain", "--rule", rule)
    assert done.returncode == 0 and f"rule {rule}: " in done.stdout
    if rule == "none":
        assert "nothing learns" in done.stdout
    else:
        assert re.search(r"^ +\d+  dW1 = sum x0 \(x\) d1$", done.stdout, re.M)
        delivered = re.findall(r"^ +\d+  e1 = (.*)\^T", done.stdout, re.M)
        assert delivered == [{"bp": "W2", "rf": "B2", "urf": "B2", "sign": "sign(B2)", "ll": "F1"}[rule]]


def test_help_names_every_command():
    done = call("--help")
    assert done.returncode == 0
    for name in ("train", "evaluate", "explain", "data"):
        assert re.search(rf"^  {name} ", done.stdout, re.M)
        assert call(name, "--help").returncode == 0


@pytest.mark.parametrize(("readout", "words"), [("hinge", "(hinge read-out"), ("knn", "(nearest-neighbour read-out")])
def test_other_read_outs(archive, tmp_path, readout, words):
    done = call("train", "--data", archive, *TINY, "--readout", readout, "--out", "a", where=tmp_path)
    assert done.returncode == 0 and words in done.stdout, done.stderr
    results = json.loads((tmp_path / "a" / "results.json").read_text(encoding="utf-8"))
    assert results["readout"] == readout and results["test_accuracy"] > 0.5
    again = call("evaluate", "a", "--readout", "lbfgs", "--readout-images", "50", where=tmp_path)
    assert again.returncode == 0 and "(linear read-out" in again.stdout
    assert json.loads((tmp_path / "a" / "results.json").read_text(encoding="utf-8"))["readout"] == "lbfgs"
    assert again.stdout.splitlines()[1].split() == ["labels", "50"]
    curve = call("evaluate", "a", "--labels", "10,30,90", where=tmp_path)
    assert curve.returncode == 0 and "labels 90: the data hold 60, which are the last column instead" in curve.stdout
    assert "10 (10 draws)" in curve.stdout.splitlines()[1]
    for wrong, words in (("2", "--labels 2; expected"), ("a,b", "--labels a,b; expected whole numbers with commas")):
        assert words in refused("evaluate", "a", "--labels", wrong, where=tmp_path)
    both = refused("evaluate", "a", "--labels", "50", "--readout-images", "40", where=tmp_path)
    assert "--labels 50 beside --readout-images 40; expected numbers up to --readout-images" in both
    wrong = refused("evaluate", "a", "--readout", "svm", where=tmp_path)
    assert "unknown readout 'svm'; expected one of lbfgs, ridge, adam, hinge, knn; write --readout lbfgs" in wrong


def test_dtp_tells_its_inverses_and_how_well_they_restore(archive, tmp_path):
    network = "4 hardtanh, 6 bias tanh pool, head bias tanh"
    done = call(
        "train", "--rule", "dtp", "--data", archive, *TINY[2:], "--network", network, "--out", "a", where=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert f"network   {network}: {network}" in done.stdout
    for path in ("Q2: tz2 -> t2", "G2: t2 -> t1"):
        assert f"{path} (an inverse with weights of its own, learned by its own outer products)" in done.stdout
    rows = Run.open(tmp_path / "a").metrics()
    assert len(rows) == 2
    for column in ("inverse_Q2", "inverse_G2"):
        assert all(0 < float(row[column]) < 5 for row in rows)
    again = call("evaluate", "a", where=tmp_path)
    assert again.returncode == 0 and "accuracy  layer 2" in again.stdout
    told = call("explain", "--rule", "dtp", "--network", "conv4-tanh", "--short", where=tmp_path)
    assert told.returncode == 0 and "t3 = x3 - x3^ + x3^t" in told.stdout


def test_untied_layers(archive, tmp_path):
    done = call(
        "train",
        "--data",
        archive,
        *TINY[2:],
        "--network",
        "4 local hardtanh, 6 local pool",
        "--out",
        "a",
        where=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert Run.open(tmp_path / "a").checkpoint()[0]["W2"].shape == (8, 8, 3, 3, 4, 6)
    again = call("evaluate", "a", where=tmp_path)
    assert again.returncode == 0 and again.stdout.splitlines()[0] in done.stdout
