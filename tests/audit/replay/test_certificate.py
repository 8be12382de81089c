"""A certificate says what is needed to compute it again; computed again it is the same, or differs by name."""

import json
import sys
import textwrap

import numpy as np
import pytest

import neurosim as ns
from neurosim.audit import check
from neurosim.audit.replay.certificate import Certificate
from neurosim.audit.replay.recipe import LIVE, Recipe
from neurosim.audit.target import of_config
from neurosim.audit.transfer import packed, unpacked
from neurosim.errors import RunError
from neurosim.training.config import Config
from neurosim.training.trust import foreign, require_trust

NETWORK = "3 hardtanh, 3 tanh"
MINE = """
    from neurosim.rules.end_to_end import EndToEnd

    class MyRule(EndToEnd):
        "Fixed feedback of our lab."
        name, summary, feedback = "mine", "ours", "rf"
"""


@pytest.fixture
def written(tmp_path):
    """Gives ``written(verdict)``: the file that holds it."""

    def written(verdict, /, **changed):
        path = tmp_path / "audit.json"
        path.write_text(json.dumps(verdict.json() | changed), encoding="utf-8")
        return path

    return written


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A folder with somebody else's rule, which is the current folder."""
    (tmp_path / "certified_rules.py").write_text(textwrap.dedent(MINE), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "certified_rules", raising=False)  # of another test
    return tmp_path


def test_it_holds_what_is_needed(written):
    verdict = check("ll", light=True, network=NETWORK, order="random", plasticity="momentum", loss="positive")
    found = verdict.json()["certificate"]
    assert found["rule"] == "neurosim.rules.ll:LayerWise" and found["seed"] == 0 and found["network"] == NETWORK
    assert found["recipe"]["arguments"]["options"] == {"order": "random"} and found["kind"] == "light"
    assert set(found["versions"]) == {"neurosim", "neurosim's files", "numpy", "python", "machine"}
    assert (
        found["sources"]["loss"].startswith("neurosim.losses.positive:")
        and found["versions"]["numpy"] == np.__version__
    )
    assert any("the short audit at the start" in line for line in verdict.json()["not asked"])
    assert unpacked(packed(verdict)).certificate == verdict.certificate


@pytest.mark.parametrize("rule", ["urf", "bp"])
def test_computed_once_more_it_is_the_same(written, rule):
    verdict = check(rule, light=True, network=NETWORK)
    certificate = Certificate(written(verdict))
    assert certificate.outside == []
    again = certificate.compute()
    assert again.light and certificate.differences(again) == [] and certificate.remarks(again) == []
    text, code = certificate.said_again(again)
    assert code == verdict.exit_code == {"urf": 0, "bp": 1}[rule] and "the same answer" in text


def test_a_configuration_is_computed_once_more(written):
    config = Config.resolve(rule="ll", feedback="rf", network=NETWORK, seed=7)
    verdict = check(of_config(config), light=True)
    certificate = Certificate(written(verdict))
    assert certificate.recipe.kind == "config" and certificate.differences(certificate.compute()) == []
    assert verdict.json()["certificate"]["seed"] == 7


def test_what_differs_is_named(written):
    verdict = check("urf", light=True, network=NETWORK)
    conditions = verdict.json()["conditions"]
    conditions["iii"]["behaviour"]["verdict"] = "cannot tell"
    del conditions["i"]["structure"]
    conditions["iv"]["oracle"] = {"verdict": "holds", "evidence": []}
    certificate = Certificate(written(verdict, verdict="violated", conditions=conditions))
    certificate.written["versions"]["numpy"] = "1.0"
    certificate.written["sources"]["rule"] = "mylab.rules:MyRule 0123"
    text, code = certificate.said_again(verdict)
    assert code == 1 and "DIFFERS" in text
    for line in (
        "verdict: violated is written, no violation found comes out",
        "condition iii by behaviour: cannot tell is written, holds comes out",
        "condition i: an answer by structure comes out, unwritten",
        "condition iv: an answer by oracle is written, and does not come out",
        "the rule is another: neurosim.rules.",
        f"with numpy {np.__version__}, not 1.0",
    ):
        assert line in text, text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"audit": 3, "verdict": "undecided"}', "\x00"])
def test_what_is_no_certificate_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=r"is no certificate|a.json cannot be read \("):
        Certificate(tmp_path / "a.json")
    with pytest.raises(RunError, match="cannot be read"):
        Certificate(tmp_path / "b.json")


def test_a_live_object_cannot_be_computed_once_more(written, build):
    verdict = check(build("rf"), light=False)
    assert verdict.certificate["recipe"] is None and verdict.certificate["kind"] == LIVE
    with pytest.raises(RunError, match="given from Python"):
        Certificate(written(verdict))


def test_the_audit_of_a_training_is_computed_once_more(archive, tmp_path):
    ns.Experiment(rule="ll", data=str(archive), network=NETWORK, batch=8, epochs=1).fit(tmp_path / "a")
    certificate = Certificate(tmp_path / "a" / "audit.json")
    assert certificate.recipe.kind == "preflight" and certificate.differences(certificate.compute()) == []
    given = ns.Experiment(
        rule="ll", data={"images": np.zeros((8, 8, 8, 3), np.uint8)}, network=NETWORK, batch=4, epochs=1
    )
    assert given.preflight().certificate["recipe"] is not None  # of data no verdict depends


def test_nothing_of_somebody_else_s_runs_unless_it_is_named_again(lab):
    config = Config.resolve(rule="certified_rules:MyRule", network=NETWORK)
    assert foreign(json.loads(config.to_json())) == ["certified_rules:MyRule"]
    assert foreign(json.loads(Config.resolve(data="folder:pictures", rule="ll").to_json())) == []
    assert foreign({"rule": {"name": "<lambda>"}, "loss": None}) == []
    assert Recipe("rule", {"rule": "m:R", "loss": "hinge", "changes": None, "network": "3 tanh"}).outside == ["m:R"]
    require_trust(lab, [], [])
    require_trust(lab, ["m:R"], ["--trust", "m:R"])
    with pytest.raises(RunError, match=r"names m:R, .* nothing was run; .*--trust m:R --trust m:L"):
        require_trust(lab, ["m:R", "m:L"], ["m:S"])


def test_a_rule_of_ones_own_is_known_by_its_source(lab, written):
    verdict = check("certified_rules:MyRule", light=True, network=NETWORK)
    certificate = Certificate(written(verdict))
    assert certificate.outside == ["certified_rules:MyRule"]
    assert certificate.differences(certificate.compute()) == []
    (lab / "certified_rules.py").write_text(textwrap.dedent(MINE) + "\n# changed\n", encoding="utf-8")
    found = certificate.differences(certificate.compute())
    assert len(found) == 1 and found[0].startswith("the rule is another: certified_rules:MyRule ")


BUILT = """
    import torch

    class Net(torch.nn.Sequential):
        pass

    def build():
        torch.manual_seed(0)
        return Net(torch.nn.Linear(4, 3)), torch.ones(2, 4), lambda out: out.square().sum()
"""


def test_a_pytorch_module_is_known_by_its_source(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from neurosim.audit.torch.audit import audit_build

    monkeypatch.syspath_prepend(str(tmp_path))
    place = tmp_path / "certified_net.py"
    place.write_text(textwrap.dedent(BUILT), encoding="utf-8")
    verdict = audit_build("certified_net:build")
    assert set(verdict.sources) == {"certified_net:Net", "certified_net:build"} and all(verdict.sources.values())
    (tmp_path / "torch.json").write_text(json.dumps(verdict.json()), encoding="utf-8")
    certificate = Certificate(tmp_path / "torch.json")
    assert certificate.outside == ["certified_net:build"] and certificate.differences(certificate.compute()) == []
    place.write_text(textwrap.dedent(BUILT) + "\n# changed\n", encoding="utf-8")
    assert [line.partition(": ")[0] for line in certificate.differences(certificate.compute())] == [
        "the certified_net:Net is another",
        "the certified_net:build is another",
    ]
