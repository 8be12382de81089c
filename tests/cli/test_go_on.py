"""Going on: from the first second on, by the same command again, on the same data only, in one process at a time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from neurosim.cli.main import main

import neurosim as ns
from neurosim.training.folder import Run

CODE = "from neurosim.cli.main import main; main()"
WORDS = ["--network", "4 pool, 5 pool", "--batch", "10", "--epochs", "2", "--rate", "0.02", "--quiet"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in, with eighty pictures of three kinds."""
    rng = np.random.default_rng(5)
    images, labels = rng.integers(0, 256, (80, 8, 8, 3)).astype(np.uint8), np.arange(80) % 3
    np.savez(
        tmp_path / "some.npz", images=images[:60], labels=labels[:60], test_images=images[60:], test_labels=labels[60:]
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words):
    """The exit code of a command."""
    with pytest.raises(SystemExit) as stopped:
        main(words)
    return stopped.value.code


def train(*words):
    assert call("train", "--data", "some.npz", *WORDS, *words) == 0


def refused(capsys, *words):
    assert call("train", *words) == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def weights(folder):
    arrays, _ = Run.open(folder).checkpoint()
    return arrays


def same(a, b):
    first, second = weights(a), weights(b)
    return all(np.array_equal(first[name], second[name]) for name in first)


def test_the_same_command_begins_goes_on_and_ends_alike(place, monkeypatch):
    train("--out", "whole")
    stop = ns.training.trainer.Trainer._batch

    def batch(self, team):
        stop(self, team)
        if self.progress.done == 3:
            self.stop()

    with monkeypatch.context() as patch:
        patch.setattr(ns.training.trainer.Trainer, "_batch", batch)
        assert call("train", "--data", "some.npz", *WORDS, "--out", "part", "--go-on") == 130
    assert not (place / "part" / "results.json").exists()
    train("--out", "part", "--go-on")
    assert same(place / "whole", place / "part")
    train("--out", "part", "--go-on")  # it is done: nothing is learned any more
    assert same(place / "whole", place / "part")


def test_other_words_are_refused_by_name(place, capsys):
    train("--out", "a", "--go-on")
    line = refused(capsys, "--data", "some.npz", *WORDS, "--out", "a", "--go-on", "--lags", "2")
    assert line.startswith("error: --lags 2 for the run in a, begun with 20")
    assert "--go-on without --out" in refused(capsys, "--go-on")
    assert "--go-on beside --resume" in refused(capsys, "--go-on", "--out", "a", "--resume", "a")


def test_what_ended_before_its_first_checkpoint_begins_anew(place):
    train("--out", "a")
    (place / "b").mkdir()
    for name in ("config.json", "audit.json"):
        shutil.copy(f"a/{name}", f"b/{name}")
    train("--out", "b", "--go-on")
    assert same(place / "a", place / "b")


def test_there_is_a_checkpoint_before_the_first_batch(place):
    experiment = ns.Experiment(data="some.npz", network="4 pool, 5 pool", batch=10, epochs=1)
    seen = []
    each = ns.training.callbacks.Each(lambda progress: seen.append(Run.open(place / "a").checkpoint()[1]["done"]))
    experiment.fit("a", [each])
    assert set(seen) == {0}


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminals that close")
def test_a_closed_terminal_loses_nothing(place):
    words = ["train", "--data", "some.npz", *WORDS, "--epochs", "100000", "--out", "a"]
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what is ignored here, as below nohup, is ignored there
    try:
        process = subprocess.Popen([sys.executable, "-c", CODE, *words])
    finally:
        signal.signal(signal.SIGHUP, before)
    try:
        until = time.monotonic() + 60
        while not (place / "a" / "checkpoint.npz").exists() and time.monotonic() < until:
            time.sleep(0.05)
        again = [sys.executable, "-c", CODE, "train", "--resume", "a"]
        second = subprocess.run(again, capture_output=True, encoding="utf-8")
        assert second.returncode == 2 and f"in use by process {process.pid}" in second.stderr
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
    assert sorted(p.name for p in (place / "a").iterdir() if p.name == "lock") == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda held: {**held, "images": held["images"][::-1].copy()}, "some.npz has other images"),
        (
            lambda held: {**held, "images": held["images"][:50], "labels": held["labels"][:50]},
            "has 50 images; expected the 60",
        ),
        (lambda held: {k: v[:, 1:] if v.ndim == 4 else v for k, v in held.items()}, "has images of shape"),
    ],
)
def test_other_data_are_named(place, capsys, change, says):
    train("--out", "a")
    with np.load("some.npz") as file:
        held = dict(file)
    np.savez("some.npz", **change(held))
    assert says in refused(capsys, "--resume", "a", "--quiet")


def test_relative_paths_count_from_where_the_run_began(place, monkeypatch):
    train("--out", "a")
    (place / "elsewhere").mkdir()
    monkeypatch.chdir(place / "elsewhere")
    assert call("train", "--resume", os.path.join("..", "a"), "--quiet") == 0
    assert json.loads((place / "a" / "config.json").read_text("utf-8"))["data"]["name"] == str(place / "some.npz")
    np.savez("some.npz", images=np.zeros((60, 8, 8, 3), np.uint8))  # another of that name, here
    assert call("evaluate", os.path.join("..", "a")) == 0


def test_more_epochs_under_a_falling_rate_are_refused_with_the_reason(place, capsys):
    train("--out", "a", "--schedule", "cosine")
    line = refused(capsys, "--resume", "a", "--epochs", "3")
    assert "--epochs 3 for a run of 2 whose rate falls along a cosine over all of them" in line


def test_runs_of_one_second_have_folders_of_their_own(place, monkeypatch):
    class Clock(__import__("datetime").datetime):
        @classmethod
        def now(cls):
            return cls(2026, 1, 2, 3, 4, 5)

    monkeypatch.setattr("neurosim.cli.train.datetime.datetime", Clock)
    train()
    train()
    assert sorted(path.name for path in (place / "runs").iterdir()) == [
        "ll-some-20260102-030405",
        "ll-some-20260102-030405-2",
    ]
