"""The audit as one call: what it takes, what it gives, and that nothing is imported before it is asked."""

import subprocess
import sys

import pytest

import neurosim.audit
from neurosim.audit import Verdict, check
from neurosim.audit.evidence import CONDITIONS, Evidence
from neurosim.audit.graph.graph import Graph
from neurosim.audit.target import of_rule
from neurosim.errors import PlausibilityError
from neurosim.rules import find


@pytest.mark.parametrize("how", ["name", "class", "wired", "target"])
def test_a_rule_is_given_in_any_form(build, how):
    rule = {"name": "rf", "class": find("rf"), "wired": build("rf"), "target": of_rule(build("rf"))}[how]
    verdict = check(rule, light=True)
    assert isinstance(verdict, Verdict) and verdict.plausible and verdict.outcome == "plausible"
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
    assert (verdict.outcome, verdict.exit_code, verdict.plausible) == ("cannot tell", 2, False)
    assert verdict.undecided == ["declared", "ii", "iii", "iv"]
    with pytest.raises(PlausibilityError, match="cannot tell"):
        verdict.require_plausible()
    other = Evidence("behaviour")
    other.add_check("ii", "in order")
    assert "ii" not in Verdict("t", [], [evidence, other], [], Graph({})).undecided


def test_nothing_is_imported_before_it_is_asked():
    heavy = "{'neurosim.training', 'neurosim.rules', 'neurosim.audit.checks'}"
    code = f"import neurosim.audit, sys; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert set(neurosim.audit.__all__) == {"Verdict", "assert_plausible", "check"}
    with pytest.raises(AttributeError, match="no attribute 'audit'"):
        neurosim.audit.audit  # noqa: B018
