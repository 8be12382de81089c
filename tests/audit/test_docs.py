"""docs/audit.md: its commands run, its tables say what the code says."""

import shlex
from pathlib import Path

import pytest
from neurosim.cli.main import main

import neurosim
from neurosim.audit.evidence import CONDITIONS
from neurosim.audit.report import grade_table

PAGE = Path(neurosim.__file__).resolve().parent.parent / "docs" / "audit.md"


def blocks():
    """The lines of every shell block."""
    parts = PAGE.read_text(encoding="utf-8").split("```sh\n")[1:]
    return [line for part in parts for line in part.split("```")[0].splitlines()]


def test_its_commands_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = blocks()
    assert len(lines) >= 5
    for line in lines:
        command, _, code = line.partition("   # exit code ")
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(command)[1:])
        assert (ended.value.code or 0) == int(code or 0), capsys.readouterr()
    assert (tmp_path / "audit.json").is_file() and (tmp_path / "audit.svg").is_file()


def test_its_tables_are_those_of_the_code():
    words = PAGE.read_text(encoding="utf-8")
    for grade, require, _ in grade_table():
        assert f"| {grade} | " + (f"`{require}`" if require != "-" else "-") in words
    assert all(f"({condition})" in words for condition in CONDITIONS if condition != "declared")
    for code in range(4):
        assert f"\n| {code} | " in words
