"""Finished runs: what was done to a run between two batches, or to its files, is found; honest runs raise no alarm."""

import json

import numpy as np
import pytest

import neurosim as ns
from neurosim.audit.replay.runs import CLOSE, NO_RECORD, RunRecord, _apart
from neurosim.training.folder import Run
from neurosim.training.record import Recording, described
from neurosim.training.trainer import Callback, Interrupted

SMALL = {"network": "4 hardtanh, 5 hardtanh", "batch": 8, "epochs": 3, "lags": 3, "threads": 1, "rate": 0.01}


@pytest.fixture
def trained(archive, tmp_path):
    """Gives ``trained(*callbacks, **options)``: the folder of a run of fifteen batches."""

    def trained(*callbacks, rule="rf", **options):
        given = {"rule": rule, "data": str(archive), **SMALL, **options}
        ns.Experiment(**given).fit(tmp_path / "a", callbacks)
        return Run.open(tmp_path / "a")

    return trained


def asked(run, **more):
    """The evidence about a run, and its findings as one text."""
    found = RunRecord(run, **more).analyse()
    return found, "\n".join(f"({f.condition}) {f.text}" for f in found.findings)


class Copy(Callback):
    """Copies, or changes, an array after a batch: what no step does."""

    def __init__(self, at, change):
        self.at, self.change = at, change

    def on_batch(self, trainer):
        if trainer.progress.done == self.at:
            self.change({b.name: b.array for b in trainer.model.buffers().values()})


def copy_b(arrays):
    arrays["B2"][...] = arrays["W2"]


@pytest.mark.parametrize("rule", ["rf", "urf", "ll", "dtp"])
def test_an_honest_run_is_trained_once_more_bit_for_bit(trained, rule):
    found, text = asked(trained(rule=rule, **({"lags": None} if rule == "dtp" else {})), seconds=30)
    assert not text and not found.undecided and not found.not_asked, (text, found)
    assert any(
        "15 of 15 batches trained once more" in line and "bit for bit" in line for line in found.checked["declared"]
    )
    assert found.interventions == 15


@pytest.mark.parametrize("order", ["greedy", "random"])
def test_any_order_of_layers_is_trained_once_more(trained, order):
    found, text = asked(trained(rule="ll", order=order), seconds=30)
    assert not text and any("30 of 30 batches" in line for line in found.checked["declared"]), found


def test_what_there_was_no_time_for_is_said(trained):
    found, text = asked(trained(), seconds=0)
    assert not text and len(found.not_asked) == 1, found
    done = int(found.not_asked[0].split()[0])
    assert 0 < done < 15 and f"{15 - done} of 15 batches trained once more" in found.checked["declared"][-1]


@pytest.mark.parametrize(("rule", "condition"), [("rf", "iii"), ("urf", "declared")])
@pytest.mark.parametrize("at", [5, 14])
def test_a_copy_between_two_batches_is_found(trained, rule, condition, at):
    _, text = asked(trained(Copy(at, copy_b), rule=rule), seconds=30)
    assert f"({condition})" in text and "B2" in text, text
    if rule == "rf":
        assert "B2 (feedback weight) is fixed: no step changes it, and after 1" in text, text
    assert "trained once more" not in text and "reached once more" in text


def rewritten(run, change, digests=False):
    """The checkpoint of a run, changed by somebody who knows its format."""
    arrays, state = run.checkpoint()
    change(arrays)
    run.save_checkpoint(arrays, state)
    if digests:  # and that of the record
        recording = Recording(run)
        lines = recording.lines()
        lines[-1]["arrays"] = described(arrays)
        recording.rewrite(lines)


@pytest.mark.parametrize("rule", ["rf", "urf"])
@pytest.mark.parametrize("digests", [False, True])
def test_a_checkpoint_that_was_rewritten_is_found(trained, rule, digests):
    run = trained(rule=rule)
    rewritten(run, copy_b, digests)
    _, text = asked(run)
    words = "batch 15, reached once more" if digests else "checkpoint.npz holds another B2 than training left"
    assert words in text and "(iii)" in text, text


@pytest.mark.parametrize("rule", ["rf", "urf"])
def test_a_run_without_a_record_is_asked_what_it_holds(trained, rule):
    run = trained(rule=rule)
    for path in (run.folder / "record").iterdir():
        path.unlink()
    found, text = asked(run)
    assert not text and found.not_asked == [NO_RECORD]
    rewritten(run, copy_b)
    _, text = asked(run)
    words = "B2 (feedback weight) is fixed" if rule == "rf" else "B2 against W2: correlation"
    assert f"(iii) {words}" in text, text


def test_other_weights_at_the_start_are_found(trained):
    class Other(Callback):
        def on_start(self, trainer):
            copy_b({b.name: b.array for b in trainer.model.buffers().values()})

    run = trained()
    first = Recording(run)
    lines = first.lines()
    arrays = first.state(lines[1]["state"])
    arrays["B2"] = arrays["W2"]
    first.keep(lines[1]["state"], arrays)
    _, text = asked(run)
    assert "state-00000000.npz holds another B2 than the record notes" in text
    lines[1]["arrays"] = described(arrays)
    first.rewrite(lines)
    _, text = asked(run)
    assert "the run did not start from the weights of its seed: B2 differs" in text


def test_a_change_between_a_stop_and_going_on_is_found(trained, archive, tmp_path):
    class Stop(Callback):
        def on_batch(self, trainer):
            if trainer.progress.done == 7:
                trainer.stop()

    with pytest.raises(Interrupted):
        trained(Stop(), rule="urf")
    rewritten(Run.open(tmp_path / "a"), copy_b)
    ns.Experiment.resume(tmp_path / "a")
    _, text = asked(Run.open(tmp_path / "a"))
    assert "B2 was changed between a stop after 7 batches and going on" in text, text


def test_a_run_that_went_on_is_honest(trained, tmp_path):
    class Stop(Callback):
        def on_batch(self, trainer):
            if trainer.progress.done == 7:
                trainer.stop()

    with pytest.raises(Interrupted):
        trained(Stop(), rule="urf", schedule="constant")  # a falling rate is of a length
    found, text = asked(Run.open(tmp_path / "a"), seconds=30)
    assert not text and "7 of 7 batches" in found.checked["declared"][-1]
    ns.Experiment.resume(tmp_path / "a", epochs=4)
    found, text = asked(Run.open(tmp_path / "a"), seconds=30)
    assert not text and "20 of 20 batches" in found.checked["declared"][-1], found


def test_a_state_that_is_gone_is_said(trained):
    run = trained()
    (run.folder / "record" / "state-00000000.npz").unlink()
    found, text = asked(run, seconds=30)
    assert not text and "state-00000000.npz is missing or cut" in found.not_asked


def test_a_record_with_strange_lines_is_found(trained):
    run = trained()
    path = run.folder / "record" / "record.jsonl"
    text = path.read_text("utf-8")
    path.write_text(text.replace('"state", "done": 15', '"stare", "done": 15', 1), "utf-8")
    assert "is none that training writes" in asked(run, seconds=0)[1]
    path.write_text(text.replace("{", "[", 2), "utf-8")
    assert "record.jsonl cannot be read from line 1 on" in asked(run, seconds=0)[1]


def test_another_machine_is_compared_within_tolerance(trained):
    run = trained(rule="urf")
    recording = Recording(run)
    lines = recording.lines()
    lines[0]["machine"]["processor"] = "another"
    rng = np.random.default_rng(0)

    def near(value):
        return value * (1 + 1e-6 * rng.standard_normal())

    for line in lines[1:]:
        if "state" not in line and line["done"] < 15:
            line["arrays"] = {
                n: ["?", near(size), [near(v) for v in some]] for n, (_, size, some) in line["arrays"].items()
            }
    recording.rewrite(lines)
    found, text = asked(run, seconds=30)
    assert not text and any("another kind of machine" in line for line in found.checked["declared"]), (text, found)
    lines[-2]["arrays"]["B2"][1] *= 1 + 2 * CLOSE
    recording.rewrite(lines)
    assert "leaves another B2" in asked(run, seconds=30)[1]


def test_tolerance():
    here = {"a": ["x", 10.0, [1.0, -2.0]]}
    assert _apart(here, {"a": ["y", 10.1, [1.03, -2.0]]}) == []
    assert _apart(here, {"a": ["y", 10.3, [1.0, -2.0]]}) == ["a"]
    assert _apart(here, {"a": ["y", 10.0, [1.05, -2.0]]}) == ["a"]
    assert _apart(here, {"a": ["y", 10.0, [1.0]]}) == ["a"]
    assert _apart(here, {}) == ["a"]


def test_the_command_reads_it(trained, capsys):
    from neurosim.audit import check
    from neurosim.audit.target import of_run

    run = trained()
    verdict = check(of_run(run))
    assert verdict.exit_code == 0 and "record" in verdict.table["declared"], verdict.text()
    rewritten(run, copy_b)
    verdict = check(of_run(run))
    assert verdict.exit_code == 1 and set(verdict.violated) >= {"declared", "iii"}
    assert json.dumps(verdict.json())
