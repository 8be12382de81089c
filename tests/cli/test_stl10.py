"""STL-10 from a few images in the official layout, as a stranger types it: views, gaze shifts, CLAPP, the floor."""

import contextlib
import io
import json
import os
import types

import numpy as np
import pytest
from neurosim.cli.main import main

from neurosim.training.folder import Run

TINY = [
    "--network",
    "4 hardtanh, 6 hardtanh pool, head average",
    "--batch",
    "6",
    "--epochs",
    "1",
    "--threads",
    "2",
    "--readout-images",
    "20",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twenty-four labelled pictures of two kinds, ten for the test, twelve without a label."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("data") / "stl10_binary"
    folder.mkdir()
    for split, count in {"train": 24, "test": 10, "unlabeled": 12}.items():
        labels = np.arange(count) % 2
        images = rng.integers(0, 100, (count, 3, 96, 96))
        images[labels == 1, :, :48] += 150
        images.astype(np.uint8).tofile(folder / f"{split}_X.bin")
        if split != "unlabeled":
            (labels + 1).astype(np.uint8).tofile(folder / f"{split}_y.bin")
    return str(folder.parent)


@contextlib.contextmanager
def _inside(folder):
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def call(*arguments, where="."):
    """The command in this process: its exit code, what it printed and what it told as an error."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with _inside(where), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(arguments))
        except SystemExit as left:
            code = left.code or 0
    return types.SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def trained(folder, where, *options):
    done = call("train", "--data", "stl10", "--data-dir", folder, *TINY, *options, "--out", "run", where=where)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((where / "run" / "results.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--rule", "bp"],
        ["--rule", "rf", "--loss", "simclr", "--deformation", "simclr"],
        ["--rule", "none"],
        ["--order", "greedy", "--lags", "5"],
    ],
    ids=" ".join,
)
def test_two_views_of_crops(folder, tmp_path, options):
    told, results = trained(folder, tmp_path, *options)
    assert "64x64x3 -> 64x64x4 -> 32x32x6" in told and "stl10: 12 images 96x96x3, views by deform" in told
    assert results["test_accuracy"] > 0.7 and len(results["per_layer"]) == 2


def test_brightness_alone(folder, tmp_path):
    told, results = trained(folder, tmp_path, "--grey", "--crop", "32", "--readout", "knn")
    assert "32x32x1 -> 32x32x4 -> 16x16x6" in told and results["readout"] == "knn"


@pytest.mark.parametrize("loss", ["gaze", "clapp"])
@pytest.mark.parametrize("options", [["--rule", "urf"], ["--order", "greedy", "--negatives", "2"]], ids=" ".join)
def test_patches_as_the_gaze_shifts(folder, tmp_path, loss, options):
    told, results = trained(folder, tmp_path, "--loss", loss, *options)
    assert "16x16x1 -> 16x16x4 -> 8x8x6" in told and f"error     {loss}, no gradient block" in told
    assert 0 <= results["test_accuracy"] <= 1
    config = Run.open(tmp_path / "run").config
    assert (config.plasticity.rate, config.plasticity.head_rate, config.grid) == (0.004, 1.0, 7)
    assert (config.views.grey, config.rule.block) == (True, False)
    again = call("evaluate", "run", where=tmp_path)
    assert again.returncode == 0 and again.stdout.splitlines()[0] in told


def test_predictions_are_resumed(folder, tmp_path):
    """One batch at a time, the checkpoint holds the predictions of CLAPP."""
    trained(folder, tmp_path, "--loss", "clapp", "--schedule", "constant")
    arrays = Run.open(tmp_path / "run").checkpoint()[0]
    assert {"P1", "P2"} <= arrays.keys() and arrays["P1"].shape == (5, 64, 64)
    on = call("train", "--resume", "run", "--epochs", "2", where=tmp_path)
    assert on.returncode == 0, on.stderr
    whole = call(
        "train",
        "--data",
        "stl10",
        "--data-dir",
        folder,
        *TINY,
        "--loss",
        "clapp",
        "--schedule",
        "constant",
        "--epochs",
        "2",
        "--out",
        "whole",
        where=tmp_path,
    )
    assert whole.returncode == 0, whole.stderr
    first, second = (Run.open(tmp_path / name).checkpoint()[0] for name in ("run", "whole"))
    assert first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "cifar10", "--loss", "clapp"], "--loss clapp with --data cifar10, which has no size of patches"),
        (["--data", "x.npz", "--loss", "gaze", "--patch", "8"], "write --crop N, the rows of a picture"),
        (["--data", "stl10", "--loss", "gaze", "--block"], "--block with --loss gaze"),
        (["--data", "stl10", "--loss", "gaze", "--views", "deform"], "--views deform with --loss gaze"),
        (["--data", "stl10", "--loss", "gaze", "--patch", "12"], "patches of 12 in pictures of 64 x 64"),
        (["--data", "stl10", "--loss", "gaze", "--deformation", "simclr"], "--deformation simclr with views by gaze"),
        (["--data", "stl10", "--loss", "gaze", "--lags", "5"], "loss gaze has no option lags (--lags 5)"),
        (["--data", "stl10", "--patch", "16"], "--patch 16 with --loss hinge"),
        (["--data", "stl10", "--views", "gaze"], "--views gaze with --loss hinge"),
        (["--data", "stl10", "--negatives", "2"], "loss hinge has no option negatives (--negatives 2)"),
        (
            ["--data", "stl10", "--loss", "gaze", "--negatives", "0"],
            "--negatives 0; expected a whole number of at least 1",
        ),
        (["--data", "stl10", "--crop", "128"], "--crop 128 of pictures of 96 x 96"),
        (["--data", "stl10", "--deformation", "cut"], "unknown deformation 'cut'; expected one of affine, "),
        (["--data", "stl10", "--data-dir", "nowhere"], "neurosim data fetch stl10"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_belong_together_is_one_line(folder, tmp_path, options, words):
    done = call("train", "--data-dir", folder, *TINY, *options, where=tmp_path)
    assert done.returncode == 2 and words in done.stderr.splitlines()[-1], done.stderr
    assert len([line for line in done.stderr.splitlines() if line.strip()]) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_missing_unlabelled_split_is_one_line(folder, tmp_path):
    import shutil

    shutil.copytree(folder, tmp_path / "data")
    (tmp_path / "data" / "stl10_binary" / "unlabeled_X.bin").unlink()
    done = call("train", "--data", "stl10", "--data-dir", "data", *TINY, where=tmp_path)
    assert done.returncode == 2 and "unlabeled_X.bin is missing; expected the unlabelled split" in done.stderr


@pytest.mark.parametrize(
    "options", [["--loss", "clapp"], ["--loss", "gaze", "--rule", "bp"], ["--deformation", "simclr"]], ids=" ".join
)
def test_explain_tells_every_step(options):
    done = call("explain", "--data", "stl10", *options)
    assert done.returncode == 0
    assert ("seen = grey(jitter(flip(crop(images))))" in done.stdout) == ("simclr" in options)
    assert ("each 7 x 7 patches" in done.stdout) == ("--loss" in options)
