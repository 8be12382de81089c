"""The graph: who made what, how far back, which memory is shared; and its pictures."""

import json
import xml.etree.ElementTree as ElementTree
from html import escape

import numpy as np
import pytest
from own_kernels import altered_step, own_step, unchecked_plan

from neurosim.audit import check
from neurosim.audit.graph.draw import LEFT_OUT, svg
from neurosim.audit.graph.export import graph_json, graph_text
from neurosim.audit.graph.graph import Graph, span
from neurosim.audit.graph.kinds import kind
from neurosim.audit.page import html
from neurosim.audit.target import of_rule
from neurosim.core.buffer import Buffer
from neurosim.networks.network import Network
from neurosim.networks.text import parse
from neurosim.training.alone import narrow
from neurosim.training.assembly import smallest
from neurosim.training.config import Config


def buffer(name, size=8, role="activity"):
    return Buffer(name, ("sample",), (size,), role, name, float)


def step(reads=(), writes=(), updates=(), label=""):
    pairs = [{f"{word}{n}": b for n, b in enumerate(bs)} for word, bs in (("r", reads), ("w", writes), ("u", updates))]
    return own_step("own", lambda **_: None, label, label, *pairs)


def test_makers_stop_where_all_was_overwritten_and_go_round_where_not():
    x, y = buffer("x"), buffer("y")
    low, high = y.part("y", 0, 4), y.part("y", 4, 8)
    graph = Graph(
        {
            "one": unchecked_plan(
                "one",
                [
                    step([x], [y], label="old"),
                    step([x], [low], label="low"),
                    step([x], [high], label="high"),
                    step([y], [buffer("z")], label="use"),
                ],
            )
        }
    )
    use = graph.sites[3]
    found, earlier = graph.makers(use, y)
    assert [s.step.label for s in found] == ["high", "low"] and not earlier
    found, earlier = graph.makers(graph.sites[1], y)
    assert [s.step.label for s in found] == ["old"] and not earlier
    found, earlier = graph.makers(graph.sites[0], high)
    assert [s.step.label for s in found] == ["high"] and earlier
    assert span(high) == (4, 8)


def test_an_update_keeps_what_was_there():
    x, m = buffer("x"), buffer("m")
    graph = Graph(
        {
            "a": unchecked_plan(
                "a", [step([x], [m], label="set"), step([x], (), [m], label="add"), step([m], [buffer("z")])]
            )
        }
    )
    assert {s.step.label for s in graph.makers(graph.sites[2], m)[0]} == {"set", "add"}


def test_values_go_from_one_phase_to_the_next():
    m, z = buffer("m"), buffer("z")
    graph = Graph(
        {
            "a": unchecked_plan("a", [step([m], [z])]),
            "b": unchecked_plan("b", [step([buffer("x")], [m], label="other")]),
        }
    )
    assert [s.step.label for s in graph.makers(graph.sites[0], m)[0]] == ["other"]


def test_shared_memory_is_found_whatever_its_shape():
    class Shared(Buffer):
        @property
        def array(self):
            return one.array[::-2]

    one, far = buffer("one"), buffer("far")
    shared = Shared("shared", ("sample",), (4,), "activity", "shared", float)
    graph = Graph({"a": unchecked_plan("a", [step([one], [shared]), step([far], [buffer("z")])])})
    assert [{a.name, b.name} for a, b in graph.aliases] == [{"one", "shared"}]
    assert graph.class_of(shared) == graph.class_of(one) != graph.class_of(far)
    assert {b.name for b in graph.members(graph.class_of(one))} == {"one", "shared"}


def test_kinds_by_roles_agree_with_those_by_name(build):
    for rule in ("bp", "urf", "sign", "ll"):
        for site in Graph(of_rule(build(rule)).plans).sites:
            s = site.step
            nameless = altered_step(s, lambda **_: None)
            if site.kind not in ("see", "count"):
                assert kind(nameless) == site.kind, s.label


def test_the_forward_pass_ends_at_the_head(build):
    graph = Graph(of_rule(build("urf")).plans)
    assert {s.kind for s in graph.forward} == {"see", "transmit", "respond"}
    made = {b.name for s in graph.forward for b in s.step.changed.values()}
    assert {"x0", "u1", "x1", "x3", "z3"} <= made and not {"ez3", "d1", "e2"} & made


def test_slices_stop_at_stored_activity(build):
    graph = Graph(of_rule(build("urf")).plans)
    update = next(
        s for s in graph.sites if s.kind == "plasticity" and "W2" in {b.name for b in s.step.updates.values()}
    )
    walk = graph.slice(update)
    assert {"x1", "x2", "z3"} <= walk.activities and "x0" not in walk.activities
    assert {"B3", "F3", "M3"} <= set(walk.uses) and not {"W1", "W3", "H3", "u1"} & set(walk.uses)


def test_pictures_text_and_data(build):
    verdict = check(build("bp"))
    root = ElementTree.fromstring(svg(graph_json(verdict.graph)))
    assert root.tag.endswith("svg") and len(root.findall(".//{*}circle")) > 2 * len(verdict.graph.sites)
    assert set(graph_json(verdict.graph)["carried"]) == {"H3", "W3", "W2"}
    assert not graph_json(check(build("rf")).graph)["carried"]
    page = html(verdict)
    assert (
        page.count("<svg") == 1
        and "http://" not in page.replace("http://www.w3.org", "")
        and "W3 -&gt; feedback into" in page
    )
    assert all(f"<li>{escape(line)}</li>" in page for line in (*verdict.assumed, *verdict.not_asked))
    data = json.loads(json.dumps(verdict.json()))
    assert data["verdict"] == "violated" and data["violated"] == ["iii"] and data["paths"] == verdict.paths
    assert len(data["graph"]["steps"]) == len(verdict.graph.sites)
    assert {b["name"] for b in data["graph"]["buffers"]} == set(verdict.graph.bases)
    assert "stops at the activities" in graph_text(verdict.graph)


@pytest.mark.parametrize("rule", ["ll", "dtp", "bp"])
def test_a_picture_is_1400_wide_and_nothing_is_clipped_or_covered(rule):
    data = graph_json(check(rule, light=True, network="3 tanh, 4 hardtanh, 4 pool").graph)
    root = ElementTree.fromstring(svg(data))
    width, height = float(root.get("width")), float(root.get("height"))
    assert width == 1400
    texts = root.findall(".//{*}text")
    for text in texts:
        if text.get("transform") is None and text.get("text-anchor") is None:
            assert float(text.get("x")) + 6.5 * len(text.text) < width and 0 < float(text.get("y")) < height, text.text
    for circle in root.findall(".//{*}circle"):
        assert 5 <= float(circle.get("cx")) <= width - 5 and 5 <= float(circle.get("cy")) <= height - 5
    names = [t for t in texts if t.get("transform")]
    assert all(float(t.get("y")) - 6.1 * len(t.text) > 40 for t in names)  # below the legend
    shown = {b["name"] for b in data["buffers"] if b["role"] not in LEFT_OUT}
    assert shown == {t.text for t in names}
    ends = {}
    for line in root.findall(".//{*}line"):  # a column at a time: no line begins where another still runs
        if line.get("x1") == line.get("x2") and line.get("stroke-opacity") == "0.45":
            first, last = float(line.get("y1")), float(line.get("y2"))
            assert first - 20 > ends.get(line.get("x1"), 0)
            ends[line.get("x1")] = last
    legend = {t.text for t in texts} & {b["role"] for b in data["buffers"]}
    assert {"activity", "forward weight", "error", "change"} <= legend


def test_small_twins():
    assert narrow("conv5").startswith("6 hardtanh, 6 pool") and smallest(Config.resolve(network="conv5")) == (8, 8, 3)
    assert smallest(Config.resolve(network="small")) == (16, 16, 3)
    assert len(Network(narrow("conv4-tanh"), (16, 16, 3), 2)) == len(parse("conv4-tanh"))
    assert narrow("3 hardtanh, 40 tanh pool, head bias tanh") == "3 hardtanh, 6 tanh pool, head bias tanh"


@pytest.mark.parametrize("rule", ["urf", "dtp", "ll"])
def test_an_audit_leaves_everything_as_it_was(build, rule):
    wired = build(rule)
    target = of_rule(wired)
    bases = {b.name: b for plan in target.plans.values() for b in plan.buffers}
    before = {name: b.array.copy() for name, b in bases.items() if b.role.endswith("weight") or b.role == "plasticity"}
    first = check(target)
    assert all(np.array_equal(bases[name].array, values) for name, values in before.items())
    again = check(target)
    assert {c: first.table[c] for c in ("i", "iii")} == {c: again.table[c] for c in ("i", "iii")}
