"""Every command, with bad input of every kind: the exit codes of one table, one line, no traceback."""

import json
import os
import re
import signal
import threading
import time
from pathlib import Path

import click
import numpy as np
import pytest
from neurosim.cli import main as entry
from neurosim.cli.main import CODES, COMMANDS, main
from neurosim.cli.main import neurosim as command

import neurosim as ns

DOCS = Path(ns.__file__).resolve().parent.parent / "docs" / "reliability.md"


def typed(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    printed = capsys.readouterr()
    return ended.value.code or 0, printed.out, printed.err


@pytest.fixture(scope="module")
def lab(tmp_path_factory, archive):
    """A run, and whatever may be given in its place."""
    folder = tmp_path_factory.mktemp("codes")
    words = {"network": "3 pool, 4 pool", "batch": 8, "epochs": 1, "readout_images": 10, "threads": 1}
    ns.Experiment(data=str(archive), **words).fit(folder / "run")
    (folder / "file").write_text("x", encoding="utf-8")
    (folder / "empty").mkdir()
    held = (folder / "run" / "config.json").read_text("utf-8")
    for name, text in (
        ("cut", held[:50]),
        ("list", "[]"),
        ("deep", "[" * 9999),
        ("odd", json.dumps({"rule": {"\x1b": 1}})),
    ):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(text, encoding="utf-8")
    if hasattr(os, "mkfifo"):
        (folder / "fifo").mkdir()
        os.mkfifo(folder / "fifo" / "config.json")
        os.mkfifo(folder / "pipe.npz")
    (folder / "cut.npz").write_bytes(Path(archive).read_bytes()[:500])
    (folder / "cut.toml").write_text("[rule", encoding="utf-8")
    np.savez(folder / "other.npz", images=np.zeros((4, 4), np.complex64))
    return folder


@pytest.fixture(autouse=True)
def here(lab, monkeypatch):
    monkeypatch.chdir(lab)


def bad(error):
    """Whether an error is one printable line for a user."""
    lines = [line for line in error.splitlines() if line.strip()]
    said = [line for line in lines if re.match("(error|Error): ", line)]
    return "Traceback" not in error and len(said) == 1 and said[0].isprintable() and said[0] == lines[-1]


FOLDERS = ("none", "file", "empty", "cut", "list", "deep", "odd", "fifo", "/dev/null", "~/none", "a\nb")
WITH_FOLDERS = {
    "evaluate": ("evaluate", "@"),
    "encode": ("encode", "@", "toys", "out.npz"),
    "compare": ("compare", "@"),
    "export": ("export", "@", "out.npz"),
    "resume": ("train", "--resume", "@"),
    "audit": ("audit", "@"),
    "verify": ("audit", "--verify", "@"),
}


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("words", WITH_FOLDERS.values(), ids=WITH_FOLDERS)
def test_a_folder_that_is_none(words, folder, capsys):
    code, _, error = typed(capsys, *(folder if word == "@" else word for word in words))
    assert code == 2 and bad(error), error


FILES = (
    "none.npz",
    "empty",
    "cut.npz",
    "other.npz",
    "pipe.npz",
    "/dev/zero",
    "cut.toml",
    "folder:none",
    "idx:empty",
    "mat:cut.npz",
)


@pytest.mark.parametrize("file", [*FILES, "mat:cut.npz", "parquet:none", "webdataset:empty", "nothing"])
@pytest.mark.parametrize(
    "words", [("train", "--data", "@"), ("data", "check", "@"), ("evaluate", "run", "--data", "@")], ids=lambda w: w[0]
)
def test_a_file_that_is_none(words, file, capsys):
    code, _, error = typed(capsys, *(file if word == "@" else word for word in words))
    assert code == 2 and bad(error), error


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--config", "cut.toml"),
        ("train", "--config", "empty"),
        ("train", "--network", "4 wool"),
        ("train", "--rule", "nothing"),
        ("train", "--rule", "no_such:Rule"),
        ("train", "--batch", "x"),
        ("train", "--batch", "0"),
        ("train", "--rate", "nan"),
        ("train", "--epochs", "1e9"),
        ("train", "--out", "file/below"),
        ("train", "--seeds", "0"),
        ("train", "--checkpoint-every", "-1"),
        ("train", "--go-on"),
        ("evaluate",),
        ("evaluate", "run", "--labels", "x"),
        ("evaluate", "run", "--weights", "cut.npz"),
        ("evaluate", "--weights", "none.safetensors"),
        ("encode", "run", "toys"),
        ("encode", "run", "other.npz", "out.npz"),
        ("encode", "run", "toys", "out.txt"),
        ("compare",),
        ("compare", "run", "run"),
        ("export", "run", "out.txt"),
        ("export", "run", "none/out.npz"),
        ("explain", "--rule", "nothing"),
        ("reproduce", "nothing"),
        ("reproduce", "table1", "--scale", "x"),
        ("audit", "--rule", "nothing"),
        ("audit", "--verify", "cut.npz"),
        ("bench", "--rule", "nothing"),
        ("doctor", "x"),
        ("data", "fetch", "nothing"),
        ("data", "show", "none.npz"),
        ("data", "nothing"),
        ("nothing",),
    ],
    ids=" ".join,
)
def test_wrong_words(words, capsys):
    code, _, error = typed(capsys, *words)
    assert code == 2 and bad(error), error


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_what_it_does_not_know(name, capsys):
    code, _, error = typed(capsys, name, "--no-such-option")
    assert code == 2 and bad(error), error


@click.command()
@click.argument("what")
def broken(what):
    raise {"memory": MemoryError("\x1b[31m"), "mistake": KeyError("x"), "Ctrl-C": KeyboardInterrupt}[what]


@pytest.mark.parametrize(("what", "code"), [("memory", 2), ("mistake", 70), ("Ctrl-C", 130)])
def test_what_no_command_expects(what, code, capsys):
    with pytest.raises(SystemExit) as ended:
        main([what], broken)
    error = capsys.readouterr().err
    assert ended.value.code == code and "\x1b" not in error
    assert ("Traceback" in error) == (code == 70) and (code != 70 or "report the lines above" in error)


def test_the_negative_answers(capsys, monkeypatch):
    assert typed(capsys, "audit", "--rule", "bp", "--network", "4 pool")[0] == 1
    monkeypatch.setattr("neurosim.training.doctor.room", lambda: 0)
    assert typed(capsys, "doctor")[0] == 1
    assert typed(capsys, "--help")[0] == 0


def test_an_interrupted_training_is_saved(archive, tmp_path, capsys):
    out = tmp_path / "a"

    def stop():
        """Press Ctrl-C after the first epoch."""
        while not (out / "metrics.csv").exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=stop, daemon=True).start()
    words = ("--data", archive, "--network", "3 pool", "--batch", 8, "--epochs", 10**6, "--threads", 1, "--out", out)
    code, _, error = typed(capsys, "train", *words)
    assert code == 130 and f"--resume {out}" in error and (out / "checkpoint.npz").is_file()


def test_one_table_in_help_and_docs(capsys):
    _, text, _ = typed(capsys, "--help")
    shown = " ".join(text.split())
    written = " ".join(DOCS.read_text("utf-8").split())
    for number, line in CODES.items():
        assert f"{number} {line}" in shown, line
        assert f"| {number} | {line} |" in written, line
    assert isinstance(command, click.Group) and entry.BUG in CODES
