"""A verdict from one process to another: the same text and data, and nothing is believed that can be computed."""

import json

import pytest

from neurosim.audit import check
from neurosim.audit.graph.draw import svg
from neurosim.audit.graph.export import graph_json, graph_text
from neurosim.audit.page import html
from neurosim.audit.transfer import packed, unpacked


@pytest.mark.parametrize("rule", ["ll", "bp"])
def test_a_verdict_is_the_same_on_the_other_side(rule):
    verdict = check(rule, network="3 tanh, 4 pool")
    again = unpacked(json.loads(json.dumps(packed(verdict))))
    assert again.text() == verdict.text() and again.json() == json.loads(json.dumps(verdict.json()))
    assert html(again) == html(verdict) and graph_text(again.graph) == graph_text(verdict.graph)
    assert svg(graph_json(again.graph)) == svg(graph_json(verdict.graph))


def test_the_outcome_is_computed_from_the_evidence():
    data = json.loads(json.dumps(packed(check("bp", light=True))))
    assert "outcome" not in data and unpacked(data).exit_code == 1


@pytest.mark.parametrize(
    "change",
    [
        {"analyses": [{}]},
        {"note": "a text"},
        {"extent": {"more": 1}},
        {"graph": None},
        {"seconds": "long"},
    ],
)
def test_what_is_no_verdict_is_refused(change):
    with pytest.raises(ValueError, match="no evidence"):
        unpacked(json.loads(json.dumps(packed(check("none")))) | change)
    data = json.loads(json.dumps(packed(check("ll", light=True, network="3 tanh"))))
    data["analyses"][0]["checked"]["v"] = []
    with pytest.raises(ValueError, match="unknown conditions"):
        unpacked(data)
