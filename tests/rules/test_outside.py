"""Rules outside the package: by module:Class and by entry point, and what is said when they cannot be had."""

import importlib.metadata
import sys
import textwrap

import pytest

from neurosim import rules
from neurosim.errors import WiringError
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.training.assembly import build
from neurosim.training.config import Config

GOOD = """
    from neurosim.rules.end_to_end import EndToEnd

    class MyRule(EndToEnd):
        summary = "mine"
        feedback = "rf"

    class NotOne:
        pass

    class Needs(EndToEnd):
        feedback = "rf"

        def __init__(self, network, loss, gain, order="up"):
            super().__init__(network, loss)

    class Strange(EndToEnd):
        def __init__(self, net):
            pass

    number = 3
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Gives ``lab(text)``: writes lab_of_mine/rules.py below the current folder, importable and forgotten afterwards."""

    def write(text):
        (tmp_path / "lab_of_mine").mkdir(exist_ok=True)
        (tmp_path / "lab_of_mine" / "rules.py").write_text(textwrap.dedent(text), encoding="utf-8")

    def forget():
        for name in [name for name in sys.modules if name.split(".")[0] == "lab_of_mine"]:
            del sys.modules[name]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", ".")])
    forget()
    yield write
    forget()


def network():
    return Network("4 hardtanh, 4 pool", (4, 4, 3), 2)


def test_a_class_of_a_file_below_the_current_folder(lab):
    lab(GOOD)
    rule = rules.make("lab_of_mine.rules:MyRule", network(), make_loss("hinge"))
    assert (rule.name, rule.summary) == ("MyRule", "mine")
    assert rule.wiring()[0] == "F2: ez2 -> layer 2 (rf: fixed, random, its own)"
    assert rule.plan("all layers").steps


def test_a_configuration_may_name_it(lab):
    lab(GOOD)
    config = Config.resolve(rule="lab_of_mine.rules:MyRule", batch=2)
    assert build(config, (32, 32, 3)).rule.name == "MyRule"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (
            "nowhere_at_all.rules:A",
            GOOD,
            r"the rule nowhere_at_all.rules:A names nowhere_at_all.rules, and there is no "
            r"nowhere_at_all; expected a file that Python finds .*; run from the folder that holds nowhere_at_all",
        ),
        ("lab_of_mine.ruels:A", GOOD, r"there is no lab_of_mine.ruels; expected"),
        (
            "lab_of_mine.rules:Absent",
            GOOD,
            r"lab_of_mine.rules has no Absent; expected a class derived from "
            r"neurosim.rules.Rule; write lab_of_mine.rules:MyRule",
        ),
        ("lab_of_mine.rules:NotOne", GOOD, r"lab_of_mine.rules:NotOne is a class that derives from no rule; expected"),
        ("lab_of_mine.rules:number", GOOD, r"lab_of_mine.rules:number is of type int; expected"),
        ("lab_of_mine.rules:Strange", GOOD, r"takes \(net\); expected a constructor that takes network and loss"),
        ("lab_of_mine.rules", GOOD, r"unknown rule 'lab_of_mine.rules'; expected one of bp, .*module:Class"),
        ("lab_of_mine.rules:", GOOD, r"the rule 'lab_of_mine.rules:'; expected module:Class with one colon"),
        (":A", GOOD, r"expected module:Class with one colon"),
        ("a:b:c", GOOD, r"expected module:Class with one colon"),
        ("lab_of_mine/rules.py:A", GOOD, r"expected module:Class with one colon"),
        (
            "lab_of_mine.rules:A",
            "A = 1 / 0",
            r"lab_of_mine.rules fails while it is imported \(ZeroDivisionError: "
            r"division by zero; .*rules.py, line 1\); expected a file that can be imported",
        ),
        ("lab_of_mine.rules:A", "x = 1\nclass A(:\n", r"SyntaxError: .*rules.py, line 2"),
        (
            "lab_of_mine.rules:A",
            "import nothing_like_this",
            r"ModuleNotFoundError: No module named 'nothing_like_this'",
        ),
    ],
)
def test_what_cannot_be_had_is_told_in_one_line(lab, name, text, line):
    lab(text)
    with pytest.raises(WiringError, match=line) as error:
        rules.make(name, network(), make_loss("hinge"))
    assert "\n" not in str(error.value)


def test_its_options_are_refused_like_ours(lab):
    lab(GOOD)
    with pytest.raises(WiringError, match=r"has no option feedback \(feedback='rf'\); expected options gain, order"):
        rules.make("lab_of_mine.rules:Needs", network(), make_loss("hinge"), feedback="rf")


def test_what_it_needs_and_was_not_given_is_told(lab):
    lab(GOOD)
    with pytest.raises(WiringError, match=r"was not given gain; expected a value"):
        rules.make("lab_of_mine.rules:Needs", network(), make_loss("hinge"), order="up")


def declare(monkeypatch, **values):
    points = [importlib.metadata.EntryPoint(name, value, rules.GROUP) for name, value in values.items()]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points if group == rules.GROUP else [])


def test_an_entry_point_names_it(lab, monkeypatch):
    lab(GOOD)
    declare(monkeypatch, mine="lab_of_mine.rules:MyRule")
    assert rules.installed() == {"mine": "lab_of_mine.rules:MyRule"}
    assert rules.find("mine").summary == "mine"
    with pytest.raises(WiringError, match=r"unknown rule 'other'; expected one of bp, .*mine, "):
        rules.find("other")


def test_an_entry_point_never_takes_the_name_of_a_rule_here(lab, monkeypatch):
    lab(GOOD)
    declare(monkeypatch, ll="lab_of_mine.rules:MyRule")
    assert rules.find("ll").__module__ == "neurosim.rules.ll"
    with pytest.raises(WiringError, match=r"the rule ll is declared twice, by neurosim.rules.ll and by lab_of_mine"):
        rules.installed()


def test_a_broken_entry_point_is_told_in_one_line(monkeypatch):
    declare(monkeypatch, mine="gone_for_good:MyRule")
    with pytest.raises(WiringError, match="there is no gone_for_good"):
        rules.find("mine")


def test_a_feedback_of_somebody_else_tells_its_wiring_itself():
    from neurosim.parts.feedback import Feedback

    class Slow(Feedback):
        """Feedback that arrives late.

        More text."""

        kind = "slow"

    rule = rules.make("rf", network(), make_loss("hinge"))
    rule.feedbacks = [Slow(rule.head, rule.feedbacks[0].synapse)]
    assert rule.wiring() == ["F2: ez2 -> layer 2 (slow: Feedback that arrives late)"]
