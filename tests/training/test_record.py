"""What a run keeps for its audit: the same whether it was stopped, killed or trained in one go, and training is as without."""

import json

import numpy as np
import pytest

from neurosim.engine.threads import ThreadTeam
from neurosim.training.callbacks import Checkpoints
from neurosim.training.folder import Run
from neurosim.training.record import SPAN, Record, Recording, described, kept_places, machine
from neurosim.training.trainer import Callback, Interrupted


@pytest.fixture
def run(begin, tmp_path):
    """Gives ``run(name)``: the folder of a run, and a trainer that keeps its record."""

    def run(name, *more, **options):
        trainer = begin(**options)
        folder = tmp_path / name
        if folder.exists():
            opened = Run.open(folder)
            trainer.restore(*opened.checkpoint())
        else:
            opened = Run.create(folder, trainer.model.config, [])
        trainer.callbacks = [Record(opened), *more, Checkpoints(opened, 0)]
        return opened, trainer

    return run


def train(trainer):
    with ThreadTeam(1) as team:
        trainer.train(team)


def states(opened):
    found = {}
    for line in Recording(opened).lines():
        if line["event"] == "state":  # one of a run that went on comes twice
            found[line["done"]] = found.get(line["done"], {}) | line
    return found


class StopAt(Callback):
    """Stops, or fails, after so many batches."""

    def __init__(self, done, error=None):
        self.done, self.error = done, error

    def on_batch(self, trainer):
        if trainer.progress.done == self.done:
            if self.error:
                raise self.error
            trainer.stop()


def test_lines_are_what_the_arrays_were(run, begin):
    opened, trainer = run("a")
    train(trainer)
    found = states(opened)
    kept = kept_places(10, 0)
    assert {0, 10 - SPAN} <= set(kept) and 2 <= len(kept) <= 4
    assert set(found) == {n for n in {5, 10} | {k + i for k in kept for i in range(SPAN + 1)} if n <= 10}
    assert {done for done, line in found.items() if "state" in line} == set(kept)

    seen = {}

    class Note(Callback):
        def on_start(self, trainer):
            seen[0] = described(trainer.model.state())

        def on_batch(self, trainer):
            seen[trainer.progress.done] = described(trainer.model.state())

    other = begin([Note()])  # it keeps no record: training is the same, bit for bit
    train(other)
    assert all(line["arrays"] == seen[done] for done, line in found.items())
    for done in kept:
        assert described(Recording(opened).state(found[done]["state"])) == seen[done]


@pytest.mark.parametrize(
    ("stop", "error"), [(1, None), (4, None), (5, None), (8, None), (4, KeyboardInterrupt), (8, KeyboardInterrupt)]
)
def test_a_run_that_goes_on_has_the_record_of_one_in_one_go(run, stop, error):
    whole, trainer = run("whole")
    train(trainer)
    opened, trainer = run("a", StopAt(stop, error))
    with pytest.raises(error or Interrupted):
        train(trainer)
    _, again = run("a")
    train(again)
    found, wanted = states(opened), states(whole)
    assert set(wanted) <= set(found) and set(found) - set(wanted) <= {stop - 1, stop}
    assert all(found[done] == wanted[done] for done in wanted if "state" in wanted[done] or done in found)
    events = [line["event"] for line in Recording(opened).lines() if line["event"] != "state"]
    assert events == ["begin", "resume"]
    places = [line["done"] for line in Recording(opened).lines()]
    assert places == sorted(places)
    assert sorted(p.name for p in (opened.folder / "record").glob("*.npz")) == sorted(
        p.name for p in (whole.folder / "record").glob("*.npz")
    )


def test_a_line_that_was_cut_is_forgotten(run):
    opened, trainer = run("a", StopAt(4))
    with pytest.raises(Interrupted):
        train(trainer)
    recording = Recording(opened)
    lines = recording.lines()
    with recording.path.open("a", encoding="utf-8") as file:
        file.write('{"event": "state", "done": 5, "arr')
    assert recording.lines() == lines
    _, again = run("a")
    train(again)
    assert 10 in states(opened) and all(
        json.loads(text) for text in recording.path.read_text(encoding="utf-8").splitlines()
    )


def test_digests_know_types_and_shapes():
    values = np.arange(6.0)
    whole = described({"a": values})["a"]
    assert whole[1] == pytest.approx(np.sqrt((values**2).sum())) and whole[2] == values.tolist()
    others = (values.astype(np.float32), values.reshape(2, 3), values + 1e-12)
    assert len({whole[0], *(described({"a": other})["a"][0] for other in others)}) == 4
    assert described({"a": np.zeros((0,))})["a"][1:] == [0.0, []]


def test_places_are_few_and_drawn_from_the_seed():
    assert kept_places(1000, 0) == kept_places(1000, 0) != kept_places(1000, 1)
    assert kept_places(1, 0) == [0] and kept_places(0, 0) == [0]
    for total in (2, 5, 50, 10000):
        places = kept_places(total, 3)
        assert places[0] == 0 and places[-1] == max(0, total - SPAN) and len(places) <= 4


def test_large_states_are_not_kept_between(run, monkeypatch):
    monkeypatch.setattr("neurosim.training.record.LARGEST", 1)
    opened, trainer = run("a")
    train(trainer)
    assert {done for done, line in states(opened).items() if "state" in line} == {0, 10 - SPAN}


def test_machines_are_told_apart(begin):
    config = begin().model.config
    assert machine(config) == machine(config.replace(threads=2)) != machine(config.replace(precision="float64"))
