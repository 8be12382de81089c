"""Every failure of a machine that doctor knows, simulated one at a time."""

import errno
import json
import tempfile

import pytest
from neurosim.cli.main import main

from neurosim.training import doctor


def typed(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *words])
    return ended.value.code or 0, capsys.readouterr().out


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(doctor, "room", lambda: 4 << 30)
    return tmp_path


def test_a_machine_that_works(capsys):
    code, text = typed(capsys)
    assert code == 0 and " wrong " not in text
    assert {line.split()[0] for line in text.splitlines()} == set(doctor.CHECKS)
    code, text = typed(capsys, "--json")
    assert code == 0 and {record["name"] for record in json.loads(text)} == set(doctor.CHECKS)
    assert {record["state"] for record in json.loads(text)} <= {"ok", "note"}


def refuse(*_, **__):
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize(
    ("what", "value", "words", "code"),
    [
        ("PYTHON", (9, 0), "expected 3.11 or newer", 1),
        ("_version", lambda name: None, "numpy is missing", 1),
        ("_version", lambda name: "1.2.3", "numpy 1.2.3, scipy 1.2.3", 1),
        ("cores", lambda: 1 // 0, "cores     wrong it cannot be examined (ZeroDivisionError", 1),
        ("threadpool_info", list, "none is known", 0),
        ("room", lambda: 1000, "0.0 GB can be had; expected 0.5 GB", 1),
        ("DISK", 1 << 60, "MB left; free some", 0),
    ],
)
def test_what_is_wrong_is_said(what, value, words, code, monkeypatch, capsys):
    monkeypatch.setattr(doctor, what, value)
    assert (found := typed(capsys))[0] == code and words in found[1], found


def test_products_that_are_wrong(monkeypatch, capsys):
    monkeypatch.setattr(doctor.np, "allclose", lambda *_: False)
    code, text = typed(capsys)
    assert code == 1 and "a product of two matrices is wrong" in text


@pytest.mark.parametrize(
    ("folder", "words", "code"),
    [("runs", "change to a folder of your own", 1), ("tmp", "set TMPDIR", 1), ("cache", "set XDG_CACHE_HOME", 0)],
)
def test_a_folder_that_cannot_be_written(folder, words, code, place, monkeypatch, capsys):
    (place / folder).mkdir()
    if folder == "tmp":
        monkeypatch.setattr(tempfile, "tempdir", str(place / folder))
    real = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda dir: refuse() if str(dir).endswith(folder) else real(dir=dir))
    found = typed(capsys)
    assert found[0] == code and f"cannot be written: Read-only file system; {words}" in found[1], found


def test_no_home_at_all(monkeypatch, capsys):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    assert typed(capsys)[0] in (0, 1)
