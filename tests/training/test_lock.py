"""A run folder belongs to one process; a dead one's lock is nobody's."""

import json
import os
import signal
import subprocess
import sys

import pytest

from neurosim.core import locking
from neurosim.errors import RunError
from neurosim.training.folder import Run
from neurosim.training.lock import Lock, refuse_held

HOLD = """import sys; from pathlib import Path; from neurosim.training.lock import Lock
with Lock(Path(sys.argv[1])): print("held", flush=True); sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder until its input ends."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline().strip() == b"held"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_second_process_is_refused_and_the_first_is_named(tmp_path, holder):
    for claim in (lambda: Lock(tmp_path).__enter__(), lambda: refuse_held(tmp_path), lambda: Run.refuse(tmp_path)):
        with pytest.raises(RunError, match=rf"in use by process {holder.pid} on \S+, since 20..-"):
            claim()


def test_a_killed_process_leaves_nothing_to_remove(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    refuse_held(tmp_path)
    with Lock(tmp_path) as held:
        assert json.loads(held.path.read_text("utf-8"))["process"] == os.getpid()


def test_it_ends_with_its_context_and_leaves_no_file(tmp_path):
    with Lock(tmp_path), pytest.raises(RunError, match=f"process {os.getpid()}"):
        refuse_held(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with Lock(tmp_path):
        pass


@pytest.mark.parametrize("text", ["", "{", '{"process": "rm"}', "[]", "\x00\xff"])
def test_whatever_stands_in_it_is_only_shown(tmp_path, text):
    with Lock(tmp_path):
        (tmp_path / "lock").write_text(text, encoding="utf-8")
        with pytest.raises(RunError, match="in use by another process"):
            refuse_held(tmp_path)


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch, capsys):
    def claim(file):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locking, "claim", claim)
    with Lock(tmp_path):
        assert "this file system has no locks (Operation not supported)" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path):
    with pytest.raises(RunError, match="cannot be opened: No such file"), Lock(tmp_path / "gone"):
        pass
