"""What an audit works with goes with its verdict: a process that audits thousands of rules stays as large as it is."""

import gc

import pytest

import neurosim as ns
from neurosim.audit import check
from neurosim.audit.graph.graph import Graph
from neurosim.audit.interventions.bench import Bench
from neurosim.core.buffer import Buffer
from neurosim.errors import UndecidedError
from neurosim.rules import find
from neurosim.rules.base import Rule

KINDS = (Bench, Buffer, Graph, Rule)
NETWORK = "3 hardtanh, 3 pool"


class Breaks(find("rf")):
    """A rule that cannot be run to the end."""

    name = "breaks"

    def draw(self, epoch, batch):
        if batch:
            raise RuntimeError("tired")
        super().draw(epoch, batch)


@pytest.fixture
def left():
    """Gives ``left()``: of which kinds something is still there that was made since."""

    def alive():
        gc.collect()
        return [each for each in gc.get_objects() if issubclass(type(each), KINDS)]

    before = alive()  # kept, so that nothing new has an old one's number
    old = {id(each) for each in before}
    return lambda: [type(each).__name__ for each in alive() if id(each) not in old]


@pytest.mark.parametrize("light", [True, False], ids=["short", "full"])
def test_nothing_is_left_of_an_audit_whose_verdict_is_gone(left, light, monkeypatch):
    monkeypatch.setattr("neurosim.audit.checks.Replay.analyse", lambda replay: replay.evidence)  # other processes
    verdict = check(find("urf"), light=light, network=NETWORK)
    assert "Graph" in left() and "Bench" not in left()  # the plans stay with the verdict
    kept = verdict.detached()
    assert kept.json() == verdict.json() and kept.text() == verdict.text()
    del verdict
    assert left() == []


def test_nothing_is_left_of_an_audit_that_was_not_finished(left):
    with pytest.raises(UndecidedError, match="tired"):
        check(Breaks, light=True, network=NETWORK)
    assert left() == []


def test_nothing_is_left_of_a_training_that_was_audited(left):
    experiment = ns.Experiment(data="toys", images=20, batch=10, epochs=1, network=NETWORK, lags=3)
    verdict = experiment.preflight().detached()
    assert "Graph" in left()
    del experiment
    assert left() == [] and verdict.plausible
