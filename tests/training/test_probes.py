"""Arrays of the plan over time: the numbers that were there, the same file after a stop or a kill; no bit of training moves."""

import shutil

import numpy as np
import pytest

from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import RunError, WiringError
from neurosim.experiment import Experiment
from neurosim.training import probes
from neurosim.training.callbacks import Each
from neurosim.training.trainer import Callback, Interrupted

TEXT = "4 hardtanh, 6 pool, 5 tanh pool"


def make(archive, **options):
    return Experiment(
        **{"data": str(archive), "network": TEXT, "batch": 7, "epochs": 2, "lags": 3, "threads": 2, **options}
    )


def recorded(folder):
    with np.load(folder / "recorded.npz") as file:
        return {name: file[name] for name in file.files}


def alike(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_the_numbers_are_those_of_every_batch(archive, tmp_path):
    """Beside a model that is run batch by batch with every array held."""
    make(archive, record="W1,memory,z3,ez2[2]", record_every=1).fit(tmp_path / "a")
    found, other = recorded(tmp_path / "a"), make(archive)
    model, stream = other.model, other.stream
    seen = {name: [] for name in ("W1", "M1", "M2", "M3", "z3", "ez2[2]")}
    rates, loads = [], []

    class Note(Callback):
        def on_batch(self, trainer):
            rates.append([float(p.rate.host()[0]) for p in trainer.model.rule.plasticities()])
            loads.append((trainer.progress.epoch, trainer.progress.batch))

    make(archive).fit(callbacks=[Note()])
    with ThreadTeam(1) as team:
        model.ready(stream, team)
        (phase,) = model.rule.phases
        program = Program(model.plan(phase), model.kernels, hold=True)
        for name in ("W1", "M1", "M2", "M3"):
            seen[name].append(probes._arrays(model.plan(phase))[name].host().copy())
        for number, rate in enumerate(rates):
            for plasticity, value in zip(model.rule.plasticities(), rate, strict=True):
                plasticity.rate.put(value)
            epoch, batch = divmod(number, stream.batches)
            stream.load(epoch, batch)
            model.rule.draw(epoch, batch)
            program.run(team)
            for name, arrays in seen.items():
                arrays.append(probes._arrays(model.plan(phase))[name].host().copy())
    for name, arrays in seen.items():
        assert np.array_equal(found[name], np.array(arrays)), name
        whole = other.model.plan(phase).buffers
        assert all(found[b.name].shape[1:] == b.shape for b in whole if b.name == name)
        first = 0 if name[0] in "WM" else 1  # what a batch makes is not there before the first
        assert found[f"{name} batch"].tolist() == list(range(first, 11))
    names = {*seen, "M1 cursor", "M2 cursor", "M3 cursor"}  # where the present moment stands in a memory
    assert set(found) == {*names, *(f"{name} batch" for name in names), "names"}


@pytest.mark.parametrize(
    "options",
    [{}, {"order": "greedy", "feedback": "rf"}, {"rule": "dfa"}, {"rule": "hebb", "lags": None}, {"order": "random"}],
    ids=["ll", "greedy", "dfa", "hebb", "random"],
)
def test_no_bit_of_training_moves_and_a_stop_changes_no_file(archive, tmp_path, options):
    plain = make(archive, **options).fit()
    asked = {"record": "W1,W3,x2,u1", "record_every": 3, **options}
    whole = make(archive, **asked).fit(tmp_path / "whole")
    assert alike(plain.model.state(), whole.model.state())
    part = make(archive, **asked)
    with pytest.raises(Interrupted):
        part.fit(tmp_path / "part", [Each(lambda progress: progress.done == 4 and part.trainer.stop())])
    assert recorded(tmp_path / "part")["W1 batch"].tolist() == [0, 3]
    on = Experiment.resume(tmp_path / "part")
    assert alike(on.model.state(), plain.model.state())
    assert (tmp_path / "part" / "recorded.npz").read_bytes() == (tmp_path / "whole" / "recorded.npz").read_bytes()
    assert not (tmp_path / "part" / "recorded").exists()
    found = recorded(tmp_path / "whole")
    assert all(len(found[name]) == len(found[f"{name} batch"]) for name in ("W1", "W3", "x2", "u1"))
    assert np.array_equal(found["W1"][-1], plain.model.state()["W1"]) or found["W1 batch"][-1] < plain.progress.done


def test_a_kill_loses_nothing_that_comes_again(archive, tmp_path):
    """What was streamed behind the last checkpoint, and what was cut in the middle, is dropped."""

    class Kill(Callback):
        def on_batch(self, trainer):
            if trainer.progress.done == 8:
                shutil.copytree(tmp_path / "whole", tmp_path / "part")

    whole = make(archive, record="W1,z2", record_every=2)
    whole.fit(tmp_path / "whole", [Kill()], checkpoint_every=0)
    part = tmp_path / "part"
    assert (part / "recorded" / "0.values").is_file() and not (part / "recorded.npz").exists()
    done = Experiment.load(part).progress.done
    for path in (part / "recorded").iterdir():
        with path.open("ab") as file:
            file.write(b"\x01\x02\x03")
    assert done == 7
    Experiment.resume(part)
    assert (part / "recorded.npz").read_bytes() == (tmp_path / "whole" / "recorded.npz").read_bytes()


def test_what_cannot_be_recorded_is_one_line(archive, tmp_path):
    with pytest.raises(
        WiringError, match=r"record has 'W9'; expected names of the plan \(.*did you mean W1 or W2 or W3"
    ):
        make(archive, record="W1,W9")
    with pytest.raises(WiringError, match=r"did you mean memory\?"):
        make(archive, record="memori")
    with pytest.raises(WiringError, match="record_every=0; expected a whole number of at least 1"):
        make(archive, record_every=0)
    with pytest.raises(RunError, match="record='W1' without a folder"):
        make(archive, record="W1").fit()
    experiment = make(archive, record=["W1", "z3"], epochs=1, schedule="constant")
    assert experiment.config.training.record == "W1,z3"
    experiment.fit(tmp_path / "a")
    (tmp_path / "a" / "recorded.npz").write_bytes(b"nothing")
    with pytest.raises(RunError, match=r"recorded.npz cannot be read"):
        Experiment.resume(tmp_path / "a", epochs=2)
