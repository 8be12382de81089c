"""A disk that is full at every write in turn: the run stops by one line and goes on to the same bits, or nothing is lost of it."""

import errno
import os
import tempfile

import numpy as np
import pytest

import neurosim as ns
from neurosim.core import writing
from neurosim.errors import NeurosimError
from neurosim.training.folder import Run

WORDS = {"network": "3 pool, 4 pool", "batch": 8, "epochs": 1, "readout_images": 10, "threads": 1, "record": "W1"}


class Disk:
    """Refuses the ``nth`` of all opens, syncs and renames; all of them are counted."""

    def __init__(self, monkeypatch, nth):
        self.nth, self.count = nth, 0
        for holder, name in ((tempfile, "mkstemp"), (os, "fsync"), (os, "replace")):
            self._refuse(monkeypatch, holder, name)

    def _refuse(self, monkeypatch, holder, name):
        real = getattr(holder, name)

        def call(*args, **kw):
            self.count += 1
            if self.count == self.nth:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*args, **kw)

        monkeypatch.setattr(getattr(writing, holder.__name__), name, call)


STEP = int(os.environ.get("NEUROSIM_FULL_DISK_STEP", "9"))  # 1: every write, in some minutes
VERDICTS = []  # of the audit before training, which writes nothing


def trained(archive, out):
    """A whole run with its read-out, from its beginning or from where it is."""
    if (out / "checkpoint.npz").is_file():
        experiment = ns.load(out)
    else:
        if (out / "config.json").is_file():
            Run.open(out).clear()
        experiment = ns.Experiment(data=str(archive), **WORDS)
    VERDICTS.append(experiment.preflight(VERDICTS[-1] if VERDICTS else None))
    experiment.fit(None if experiment.run else out, checkpoint_every=0)
    experiment.write_results(experiment.readout(cached=True))
    return experiment


def test_full_at_every_write_in_turn(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    wanted = trained(archive, tmp_path / "whole").model.state()
    stopped = 0
    for nth in range(1, 1000, STEP):
        out = tmp_path / f"run{nth}"
        with monkeypatch.context() as patch:
            disk = Disk(patch, nth)
            try:
                trained(archive, out)
                failed = False
            except NeurosimError as problem:
                failed = True
                assert "could not be written: no space is left on the disk" in str(problem), problem
                assert str(problem).isprintable()
        if disk.count < nth:  # there is no such write any more
            break
        stopped += failed
        assert not [path for path in out.rglob("*") if path.name.startswith(".")] if out.exists() else True
        found = trained(archive, out).model.state()
        assert found.keys() == wanted.keys() and all(np.array_equal(found[name], wanted[name]) for name in wanted)
        assert Run.open(out).results() is not None and (out / "recorded.npz").is_file()
    assert 20 < stopped * STEP < nth < 999
    print(f"{stopped} runs were stopped, of writes 1 to {nth - 1} in steps of {STEP}, and all went on to the same bits")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
def test_a_full_device_is_said(tmp_path):
    def write(file):
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(b"x")

    with pytest.raises(NeurosimError, match="no space is left on the disk"):
        writing.write_whole(tmp_path / "a", write)
    assert list(tmp_path.iterdir()) == []


def test_systems_without_what_linux_has(tmp_path, monkeypatch):
    """Simulated: no permissions, folders that are not opened or synced."""

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    for name, value in (("chmod", refuse), ("open", refuse)):
        with monkeypatch.context() as patch:
            patch.setattr(writing.os, name, value)
            writing._open_to_all(str(tmp_path)), writing._sync_folder(tmp_path)
    real = os.fsync
    monkeypatch.setattr(
        writing.os, "fsync", lambda handle: refuse() if os.path.isdir(f"/proc/self/fd/{handle}") else real(handle)
    )
    writing.write_whole(tmp_path / "a", lambda file: file.write(b"x"))
    assert (tmp_path / "a").read_bytes() == b"x"
