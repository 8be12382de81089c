"""Small rules to audit, and how a mutant is caught."""

import numpy as np
import pytest
from own_kernels import unchecked_plan

from neurosim.audit import check
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.plasticity import make as make_plasticity
from neurosim.rules import make
from neurosim.rules.end_to_end import EndToEnd

TEXT = "5 hardtanh, 5 hardtanh, 5 hardtanh pool"  # layers of one size, so that mutants may mistake one for another


NOT_OF_CODE = ("graph", "interventions", "operations", "symmetry", "museum")  # folders of tests


@pytest.fixture(autouse=True)
def _code_is_compared_elsewhere(request, monkeypatch):
    """Where a test asks something else, the code in memory is not compared with that of a bare process, at every audit."""
    place = request.node.path
    if place.parent.name in NOT_OF_CODE and place.name != "test_museum.py":
        monkeypatch.setattr("neurosim.audit.replay.analysis.places", list)
        monkeypatch.setattr("neurosim.audit.replay.analysis.digests", lambda names: {})
        monkeypatch.setattr("neurosim.audit.replay.analysis.bare_digests", lambda names: {})


@pytest.fixture
def build():
    """Gives ``build(rule, ...)``: a rule's name or class, wired into a small network."""

    def build(
        rule,
        *,
        text=TEXT,
        image=(4, 4, 5),
        pairs=4,
        block=True,
        loss=None,
        plasticity="momentum",
        seed=0,
        units=6,
        **options,
    ):
        network = Network(
            text,
            image,
            pairs,
            block=block,
            seed=seed,
            head_units=units,
            plasticity=make_plasticity(plasticity, rate=0.01, decay=0.1),
        )
        loss = loss or make_loss("hinge", lags=3)
        return make(rule, network, loss, **options) if isinstance(rule, str) else rule(network, loss, **options)

    return build


@pytest.fixture
def caught():
    """Gives ``caught(target, condition, by, also)``: one condition is broken, and exactly these analyses find it.

    Transported weights may show in the delivered errors besides, where layers are wide enough for that.

    ``also`` names conditions that the mutant breaks besides: a copy is no outer product either.
    """

    def caught(target, condition, by, also=""):
        verdict = check(target)
        text = verdict.text()
        assert verdict.exit_code == 1 and set(verdict.violated) == {condition, *also.split()}, text
        found = {f.by for f in verdict.findings if f.condition == condition}
        assert set(by.split()) <= found and found - set(by.split()) <= {"symmetry"}, (
            text
        )  # what is delivered shows, too
        answers = verdict.table[condition]
        alone = any(w in answers and answers[w].verdict == "holds" for w in ("structure", "behaviour"))
        lines = [line for line in verdict.disagreements() if line.startswith((f"({condition})", condition))]
        assert bool(lines) == alone, text  # where one alone finds it, the verdict says so
        return verdict

    return caught


@pytest.fixture
def unchecked(monkeypatch):
    """Plans are made unchecked: what they would refuse, the audit must find, too."""
    monkeypatch.setattr("neurosim.training.assembly.Plan", unchecked_plan)
    monkeypatch.setattr("neurosim.audit.replay.analysis.bare_digests", lambda places: {})  # it finds the line above


@pytest.fixture
def rigged():
    """Gives ``rigged(part)``: an end-to-end rule whose feedback parts are made by ``part(network, projection)``."""

    def rigged(part, **methods):
        def feed(self, projection, kind):
            self.feedbacks.append(part(self.network, projection))
            return self.feedbacks[-1]

        return type("Rigged", (EndToEnd,), {"name": "rigged", "feedback": "rf", "_feed": feed, **methods})

    return rigged


@pytest.fixture
def own():
    """Gives ``own(network, projection, learns)``: a feedback synapse as the network would make it."""

    def own(network, projection, learns=False):
        name = projection.synapse.name
        letter = {"W": "B", "H": "F"}[name[0]]
        return network._synapse(letter, int(name[1:]), projection.synapse.shape, "feedback weight", learns)

    return own


@pytest.fixture
def rng():
    return np.random.default_rng(3)
