"""Errors as delivered: by whatever arrays and detours, what arrives below is compared with what transported weights deliver."""

import numpy as np
import pytest
from own_kernels import own_step

from neurosim.audit import check
from neurosim.audit.evidence import Evidence
from neurosim.audit.graph.graph import Graph
from neurosim.audit.interventions.bench import Bench
from neurosim.audit.symmetry.analysis import analyse_symmetry
from neurosim.audit.symmetry.delivered import Delivered
from neurosim.audit.symmetry.probe import Descent, chosen, passages
from neurosim.audit.target import of_config
from neurosim.core.buffer import Buffer
from neurosim.engine.threads import ThreadTeam
from neurosim.parts.feedback import Feedback, UpdatedFeedback
from neurosim.training.config import Config

TEXT = "8 hardtanh, 8 hardtanh pool"
WIDE = {"text": TEXT, "image": (8, 8, 4), "units": 24}


def symmetry(verdict):
    return [f.text for f in verdict.findings if f.by == "symmetry" and "errors come from" in f.text]


@pytest.mark.parametrize(("rule", "options"), [("bp", {}), ("ll", {"feedback": "bp"}), ("dtp", {"top": "transport"})])
def test_transported_weights_show_in_what_they_deliver(build, rule, options):
    found = symmetry(check(build(rule, **WIDE, **options), light=True))
    assert found and "at the start" in found[0] and "transposed would deliver" in found[0]


@pytest.mark.parametrize(
    ("rule", "options"),
    [("rf", {}), ("urf", {}), ("sign", {}), ("dtp", {}), *(("ll", {"feedback": f}) for f in ("rf", "urf", "sign"))],
)
def test_legal_rules_deliver_by_chance(build, rule, options):
    for seed in range(3):
        verdict = check(build(rule, seed=seed, **WIDE, **options), light=seed > 0)
        assert not symmetry(verdict), verdict.text()
        assert any("maps of delivered errors" in line for a in verdict.analyses for line in a.checked.get("iii", []))


class Split(Feedback):
    """Two arrays, neither of which is like W: their difference is."""

    def __init__(self, network, projection, synapse):
        super().__init__(projection, synapse)
        w, b = projection.synapse.weight, synapse.weight
        first = b.array.copy()
        b.array[...] = w.array + 4 * first
        self.other = Buffer(
            f"C{synapse.name}",
            w.axes,
            w.shape,
            "feedback weight",
            f"C{synapse.name}",
            w.dtype,
            lasts=True,
            initial=4 * first,
        )

    def deliver(self):
        [step] = super().deliver()
        apart = Buffer(f"apart {self.synapse.name}", *self._like(), "error", step.writes["error"].owner, np.float32)
        yield step
        yield type(step)(
            step.kernel,
            "by the other array",
            step.equation,
            {**step.arguments, "weight": self.other, "error": apart},
            step.scalars,
            step.over,
        )
        error = step.writes["error"]
        yield own_step(
            "less",
            lambda apart, error: np.subtract(error, apart, out=error),
            "less",
            "e",
            {"apart": apart},
            updates={"error": error},
        )

    def _like(self):
        error = next(iter(Feedback.deliver(self))).writes["error"]
        return error.axes, error.shape


def test_weights_split_over_two_arrays(build, rigged, own):
    verdict = check(build(rigged(lambda n, p: Split(n, p, own(n, p))), **WIDE))
    assert symmetry(verdict), verdict.text()


STARTED = {
    "blended": lambda w, rng: w + np.abs(w).max() * rng.uniform(-1, 1, w.shape),
    "half of its units": lambda w, rng: np.where(np.arange(w.shape[-1]) % 2, w, rng.uniform(-0.1, 0.1, w.shape)),
    "signs of its own units": lambda w, rng: w * np.sign(rng.uniform(-1, 1, w.shape[-1])),
}


@pytest.mark.parametrize("how", STARTED)
@pytest.mark.parametrize("learns", [False, True])
def test_weights_that_feedback_starts_from(build, rigged, own, how, learns):
    def part(network, projection):
        synapse = own(network, projection, learns)
        rng = np.random.default_rng(5)
        synapse.weight.array[...] = STARTED[how](projection.synapse.weight.array, rng)
        return (UpdatedFeedback if learns else Feedback)(projection, synapse)

    verdict = check(build(rigged(part), **WIDE))
    assert symmetry(verdict) and "iii" in verdict.violated, verdict.text()


def test_feedback_that_grows_alike_by_its_own_outer_products_is_legal(build):
    """A large rate: after a batch W and B are mostly the sum of the same products."""
    rule = build("urf", **WIDE)
    rule.network.plasticity.rate.array[...] = 30
    verdict = check(rule)
    assert not symmetry(verdict), verdict.text()
    assert any("grown alike" in line for a in verdict.analyses for line in a.checked.get("iii", []))


def test_small_arrays_decide_nothing(build):
    verdict = check(build("rf", text="2 hardtanh, 2 hardtanh", image=(3, 3, 1), units=3))
    left_out = [line for a in verdict.analyses for line in a.not_asked]
    assert any("too few units" in line for line in left_out), left_out


@pytest.fixture(scope="module")
def published():
    """The bench of dtp in the published network: its inverses learn in a batch before they deliver in it."""
    target = of_config(Config.resolve(rule="dtp", network="conv5"))
    graph = Graph(target.plans)
    with ThreadTeam(1) as team:
        yield Bench(target, graph, team)
    graph.as_declared()


def test_what_learns_before_it_delivers_is_compared_as_it_started(published):
    """An inverse that has learned once is a little like the weights below it, by outer products of its own."""
    evidence = analyse_symmetry(published.graph, None, published)
    assert not evidence.findings, evidence.findings
    assert any("maps of delivered errors" in line for line in evidence.checked["iii"])


def test_what_leads_to_nothing_is_left_out_and_no_bit_differs(published, monkeypatch):
    passage = next(each for each in passages(published) if each.weight.name == "W3")
    many = int(np.prod(passage.site.step.buffers[passage.pre].shape[1:]))
    above, below = chosen(passage, 8, np.random.default_rng(0))
    sources = list(Delivered(published, Evidence("symmetry"), None, False, True)._sources(passage, 0))
    found = [Descent(published, run, source, {}, many) for run, source in sources]
    few = [each.maps(above, below) for each in found]
    monkeypatch.setattr(Descent, "_leave_out", lambda *_: None)
    every = [Descent(published, run, source, {}, many) for run, source in sources]
    for maps, others in zip(few, [each.maps(above, below) for each in every], strict=True):
        moved = [m for m in maps.values() if m.any()]
        assert [m.tobytes() for m in moved] == [m.tobytes() for m in others.values() if m.any()]
    assert any(m.any() for maps in few for m in maps.values())
    assert sum(len(each.runs) for each in found) < 0.7 * sum(len(each.runs) for each in every)
    assert all(np.array_equal(b.array, published.start[b.name]) for b in published.bases)
