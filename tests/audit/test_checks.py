"""The audit as one call: what it takes, what it gives, and that nothing is imported before it is asked."""

import pickle
import subprocess
import sys

import pytest

import neurosim.audit
from neurosim import losses, plasticity
from neurosim.audit import Verdict, assert_plausible, check
from neurosim.audit.evidence import CONDITIONS, Evidence, Grade
from neurosim.audit.graph.graph import Graph
from neurosim.audit.package import digest, file_digest
from neurosim.audit.target import of_rule
from neurosim.errors import PlausibilityError, UndecidedError, WiringError
from neurosim.networks import presets
from neurosim.networks.network import Network
from neurosim.rules import find


@pytest.mark.parametrize("how", ["name", "class", "wired", "target"])
def test_a_rule_is_given_in_any_form(build, how):
    rule = {"name": "rf", "class": find("rf"), "wired": build("rf"), "target": of_rule(build("rf"))}[how]
    verdict = check(rule, light=True)
    assert isinstance(verdict, Verdict) and verdict.plausible and verdict.outcome == "no violation found"
    assert verdict.require_plausible() is verdict and verdict.title == "rf"


def test_options_reach_the_rule_and_its_network():
    verdict = check("ll", light=True, network="3 tanh", loss="positive", feedback="bp")
    assert not verdict.plausible and verdict.violated == ["iii"]
    assert any("network 3 tanh" in line for line in verdict.note)


def test_a_verdict_prints_the_whole_report():
    verdict = check("bp", light=True)
    assert str(verdict) == verdict.text() and verdict.text().startswith("audit of bp\n")
    with pytest.raises(PlausibilityError, match=r"bp is not plausible: violated \(iii\)") as problem:
        verdict.require_plausible()
    assert "\n" not in str(problem.value)


def test_where_nothing_learns_nothing_is_violated():
    verdict = check("none")
    assert verdict.exit_code == 0 and list(verdict.table) == list(CONDITIONS)


def test_a_finding_outweighs_what_cannot_be_decided():
    evidence = Evidence("structure")
    assert evidence.answer("i") is None
    evidence.add_check("i", "in order")
    assert evidence.answer("i").verdict == "holds"
    evidence.undecided["i"] = "an unknown kernel"
    assert evidence.answer("i").evidence == ["an unknown kernel", "in order"]
    evidence.add_finding("i", "broken")
    evidence.add_finding("i", "broken")
    assert (evidence.answer("i").verdict, evidence.answer("i").evidence) == ("violated", ["broken"])


def test_what_no_analysis_decides_is_not_called_plausible():
    evidence = Evidence("operations")
    evidence.add_check("i", "in order")
    evidence.undecided["ii"] = "an unknown function"
    verdict = Verdict("t", [], [evidence], [], Graph({}))
    assert (verdict.outcome, verdict.exit_code, verdict.plausible) == ("undecided", 3, False)
    assert verdict.undecided == ["declared", "ii", "iii", "iv"]
    with pytest.raises(PlausibilityError, match="undecided"):
        verdict.require_plausible()
    other = Evidence("behaviour")
    other.add_check("ii", "in order")
    other.add_check("iii", "in order")
    left = Verdict("t", [], [evidence, other], [], Graph({})).undecided
    assert "iii" not in left and "ii" in left  # of arithmetic that left the recording nobody else knows


def test_nothing_is_imported_before_it_is_asked():
    heavy = "{'neurosim.training', 'neurosim.rules', 'neurosim.audit.checks'}"
    code = f"import neurosim.audit, sys; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert set(neurosim.audit.__all__) == {"Verdict", "assert_plausible", "check"}
    with pytest.raises(AttributeError, match="no attribute 'audit'"):
        neurosim.audit.audit  # noqa: B018


# -- grades and exit codes


def verdict_of(*evidence, **more):
    """A verdict on an empty graph, every condition examined."""
    whole = Evidence("structure")
    for condition in CONDITIONS:
        whole.add_check(condition, "in order")
    return Verdict("mine", [], [whole, *evidence], [], Graph({}), **more)


def test_the_lowest_grade_of_all_analyses_is_the_rules():
    evidence = [Evidence("behaviour"), Evidence("operations")]
    assert verdict_of(*evidence).grade is Grade.STRICT and verdict_of(*evidence).grades == {}
    evidence[0].lower_grade(Grade.BROADCAST_SCALAR, "a reward")
    evidence[1].lower_grade(Grade.OVER_A_BATCH, "a whole batch")
    verdict = verdict_of(*evidence)
    assert verdict.grade is Grade.OVER_A_BATCH and verdict.exit_code == 0
    assert list(verdict.grades) == [Grade.OVER_A_BATCH, Grade.BROADCAST_SCALAR]
    assert "grade: local over a batch (not strictly local in time)\n  a whole batch\n" in verdict.text()


def test_what_is_not_local_breaks_condition_i():
    evidence = Evidence("behaviour")
    evidence.lower_grade(Grade.NOT_LOCAL, "it looks elsewhere")
    verdict = verdict_of(evidence)
    assert (verdict.exit_code, verdict.violated, verdict.grade) == (1, ["i"], Grade.NOT_LOCAL)


@pytest.mark.parametrize("condition", ["i", "iii"])
def test_what_transports_or_looks_elsewhere_has_the_last_grade(condition):
    evidence = Evidence("behaviour")
    evidence.add_finding(condition, "broken")
    assert verdict_of(evidence).grade is Grade.NOT_LOCAL
    evidence = Evidence("behaviour")
    evidence.add_finding("ii", "divides")
    assert verdict_of(evidence).grade is Grade.STRICT


def test_more_is_asked_for_by_a_grade():
    evidence = Evidence("behaviour")
    evidence.lower_grade(Grade.BROADCAST_SCALAR, "a reward reaches every unit")
    for required, code in ((Grade.STRICT, 1), (Grade.BROADCAST_SCALAR, 0), (Grade.OVER_A_BATCH, 0)):
        verdict = verdict_of(evidence, required=required)
        assert verdict.exit_code == code and verdict.plausible == (code == 0)
    verdict = verdict_of(evidence, required=Grade.STRICT)
    assert verdict.line() == (
        "below the grade required: local with a broadcast scalar, not strictly local: a reward reaches every unit"
    )
    with pytest.raises(PlausibilityError, match="below the grade required"):
        assert_plausible("ll", loss="hinge-mean", require="strict")
    with pytest.raises(WiringError, match="require='none'; expected one of strict, scalar, batch"):
        assert_plausible("ll", require="none")


def test_weight_sharing_is_said_apart():
    assert check("ll", light=True).locality == "strictly local, but for weight sharing"
    assert check("ll", light=True, network="2 local tanh").locality == "strictly local"
    assert "weight sharing" not in check("bp", light=True).locality


def test_a_pass_says_what_was_tried_and_what_is_trusted():
    verdict = check("ll", light=True, network="3 tanh")
    last = verdict.text().splitlines()[-1]
    tried = f"No violation found: 4 batches over 2 epochs, sizes 8x8x3 -> 8x8x3, {verdict.extent.interventions} interventions."
    assert tried in last and verdict.extent.interventions > 10
    assert last.endswith(f"neurosim's own kernels (digest {digest()[:12]}).") and "plausible" not in last
    assert "no labels were given" in verdict.not_asked[0] and verdict.json()["not asked"] == verdict.not_asked
    assert verdict.json()["tried"]["interventions"] == verdict.extent.interventions


def test_the_digest_is_of_every_source_file(tmp_path):
    (tmp_path / "a.py").write_text("1", encoding="utf-8")
    first = file_digest(tmp_path)
    (tmp_path / "notes.txt").write_text("no source", encoding="utf-8")
    assert file_digest(tmp_path) == first
    (tmp_path / "a.py").write_text("2", encoding="utf-8")
    second = file_digest(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, second, file_digest(tmp_path)}) == 3
    assert digest() == file_digest() and len(digest()) == 64


# -- what goes wrong, and what may be one's own


class Broken(find("rf")):
    name = "broken"

    def wire(self, phase):
        raise KeyError("nothing")


def test_what_fails_leaves_it_undecided():
    with pytest.raises(UndecidedError, match=r"KeyError: 'nothing' \(.*test_checks.py, line \d+\)") as problem:
        check(Broken)
    assert problem.value.exit_code == 3 and "\n" not in str(problem.value)
    with pytest.raises(WiringError) as problem:
        check("nobody")
    assert problem.value.exit_code == 2


def test_three_lines_of_a_condition_without_a_path():
    with pytest.raises(PlausibilityError) as problem:
        assert_plausible("ll", loss="simclr", network="3 tanh")
    first, way, seen = str(problem.value).splitlines()
    assert "violated (ii) simple arithmetic, found by" in first and "divide" in way and seen.strip()
    again = pickle.loads(pickle.dumps(problem.value))
    assert str(again) == str(problem.value) and again.path == problem.value.path


def test_parts_of_ones_own_in_any_form():
    kinds = (
        {"plasticity": "sgd"},
        {"plasticity": plasticity.find("momentum")},
        {"plasticity": plasticity.make("signum", rate=0.1), "loss": losses.make("positive")},
        {"loss": losses.find("hinge"), "network": presets.find("small")},
        {"network": Network("3 tanh", (4, 4, 2), 3)},
    )
    for given in kinds:
        assert_plausible("rf", **given)
    with pytest.raises(WiringError, match="beside a network that is made already"):
        assert_plausible("rf", network=Network("3 tanh", (4, 4, 2), 3), plasticity="sgd")
