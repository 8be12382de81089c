"""Metrics for other programs, read back by the libraries that they are for."""

import os
import subprocess
import sys

import pytest

from neurosim.errors import RunError
from neurosim.experiment import Experiment
from neurosim.training import tracking


def make(archive, **options):
    given = {"data": str(archive), "network": "4 hardtanh, 6 pool", "batch": 7, "epochs": 2, "lags": 3, "threads": 1}
    return Experiment(**given, **options)


def test_without_its_library_it_is_refused_before_training(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    monkeypatch.setitem(tracking.LIBRARIES, "tensorboard", "no_such_library")
    with pytest.raises(
        RunError, match=r"track='tensorboard' without no_such_library; .* pip install 'neurosim\[track\]'"
    ):
        make(archive, track="tensorboard")
    monkeypatch.undo()


def test_tensorboard_reads_every_row(archive, tmp_path):
    pytest.importorskip("tensorboardX", reason="an optional extra: pip install 'neurosim[track]'")
    from tensorboardX.event_file_writer import EventFileWriter  # noqa: F401  the library is whole
    from tensorboardX.proto.event_pb2 import Event

    with pytest.raises(RunError, match="track='tensorboard' without a folder"):
        make(archive, track="tensorboard").fit()
    experiment = make(archive, track="tensorboard", diagnose_every=100).fit(tmp_path / "a")
    found = {}
    for path in (tmp_path / "a" / "tensorboard").iterdir():
        data = path.read_bytes()
        while data:  # length, its check, an event, its check
            size = int.from_bytes(data[:8], "little")
            event = Event.FromString(data[12 : 12 + size])
            data = data[16 + size :]
            for value in event.summary.value:
                found[value.tag, event.step] = value.simple_value
    for row in experiment.trainer.rows:
        assert found["error", row["images"]] == pytest.approx(row["error"], rel=1e-6)
        assert found["active", row["images"]] == pytest.approx(row["active"], rel=1e-6)
    last = experiment.trainer.diagnoses[-1]
    assert found["sparsity_1", last["images"]] == pytest.approx(last["sparsity_1"], rel=1e-6)


def test_wandb_offline(archive, tmp_path):
    """In a process of its own: it starts a service."""
    pytest.importorskip("wandb", reason="an optional extra: pip install 'neurosim[track]'")
    code = (
        "import neurosim as ns; ns.Experiment(data={!r}, network='4 pool', batch=7, epochs=1, threads=1, track='wandb')"
        ".fit({!r})".format(str(archive), str(tmp_path / "a"))
    )
    environment = {**os.environ, "WANDB_MODE": "offline", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "a" / "wandb").glob("offline-run-*/*.wandb"))
