"""What the short audit leaves out is exactly what it says: one list, walked over in the source and while both audits run."""

import ast
import cProfile
from pathlib import Path

import numpy as np
import pytest
from own_kernels import own_step

import neurosim.audit as audit
from neurosim.audit import check
from neurosim.audit.checks import preflight_audit
from neurosim.audit.depth import OF_PREFLIGHT, Part, asked, left_out
from neurosim.core.buffer import Buffer
from neurosim.rules import available
from neurosim.training.config import Config
from neurosim.training.model import Model

ROOT = Path(audit.__file__).parent
SOURCES = {path: ast.parse(path.read_text("utf-8")) for path in ROOT.rglob("*.py")}
# Functions that only the full audit calls: the beginning of "file:name" -> the part that they are of.
OF_PART = {
    "interventions/locality.py:Locality._memory": Part.MEMORY,
    "interventions/locality.py:Locality._rings": Part.MEMORY,
    "interventions/locality.py:Locality._units": Part.UNITS,
    "interventions/locality.py:Locality._stored_activities": Part.UNITS,
    "interventions/locality.py:Locality._active_unit": Part.UNITS,
    "interventions/locality.py:Locality._touched": Part.UNITS,
    "interventions/locality.py:Locality._allowed": Part.UNITS,
    "interventions/products.py:pair_of": Part.UNITS,
    "interventions/transport.py:Transport._found": Part.LONGER,
    "interventions/transport.py:Transport._later": Part.LONGER,
    "interventions/bench.py:Bench.longer": Part.LONGER,
    "interventions/transport.py:Transport._control": Part.CONTROL,
    "operations/ledger.py:readout_ledger": Part.READOUT,
    "operations/": Part.READOUT,
    "replay/process.py:": Part.REPLAYED,
    "replay/state.py:": Part.REPLAYED,
    "replay/recipe.py:": Part.REPLAYED,
    "replay/analysis.py:Replay._compare_wiring": Part.WIRED_AGAIN,
    "replay/analysis.py:Replay._compare_code": Part.DIGESTS,
    "replay/digests.py:": Part.DIGESTS,
    "replay/analysis.py:Replay._hear": Part.LISTENED,
    "replay/analysis.py:": Part.REPLAYED,
}
COUNTS = {Part.FAR, Part.ABOVE, Part.LATER}  # the same functions, called more often or with more


def parents(tree):
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def test_nothing_asks_whether_the_audit_is_short_but_by_the_list():
    """``light`` is handed on, kept and written down; whoever decides by it asks `depth.asked`."""
    for path, tree in SOURCES.items():
        if path.name == "depth.py":
            continue
        above = parents(tree)
        for node in ast.walk(tree):
            named = isinstance(node, ast.Name | ast.Attribute) and "light" in (
                getattr(node, "id", ""),
                getattr(node, "attr", ""),
            )
            if named and isinstance(node.ctx, ast.Load):
                given = isinstance(above[node], ast.Call | ast.keyword | ast.Dict)
                kept = isinstance(above[node], ast.Tuple | ast.Assign)
                words = ast.unparse(above[node]) == "'light' if light else 'full' if target.recipe else LIVE"
                assert given or kept or words, f"{path.name}, line {node.lineno}: {ast.unparse(above[node])}"


def test_every_part_is_asked_somewhere():
    used = {
        node.attr
        for path, tree in SOURCES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Part" and path.name != "depth.py"
    }
    of_replay = {part.name for part in (Part.REPLAYED, Part.LISTENED, Part.DIGESTS, Part.WIRED_AGAIN)}
    assert used | of_replay == {part.name for part in Part}


class Waits(available()["ll"]):
    """A kernel of one's own, so that the longer run is asked for."""

    name = "waits"

    def __init__(self, network, loss, **options):
        super().__init__(network, loss, **options)
        self.count = Buffer("my count", ("one",), (1,), "memory", "my count", np.float32, lasts=True)

    def wire(self, phase):
        yield from super().wire(phase)
        seen = self.network.populations[1].activity

        def add(seen, count):
            count += 0 * seen.sum()

        yield own_step("add", add, "counts", "n += 0", updates={"count": self.count}, reads={"seen": seen})


@pytest.fixture(scope="module")
def audits():
    """Whether it is short -> the functions of the audit's files that ran, as "file:name", and what `ll`'s audit says."""
    found = {}
    for light in (False, True):
        with cProfile.Profile() as profile:
            verdict = check("ll", light, network="2 tanh")
            check(Waits, light, network="2 tanh")
        codes = [entry.code for entry in profile.getstats() if not isinstance(entry.code, str)]
        own = [code for code in codes if code.co_filename.startswith(str(ROOT))]
        found[light] = (
            {f"{Path(code.co_filename).relative_to(ROOT)}:{code.co_qualname}" for code in own},
            verdict.json(),
        )
    return found


def test_whatever_only_the_full_audit_runs_is_of_a_part_that_is_left_out(audits):
    """A check that is left out without a word would run functions that belong to no part."""
    full, light = (audits[each][0] for each in (False, True))
    more = {name for name in full - light if "<" not in name and not name.startswith("package.py:")}
    beyond = {name for name in more if not any(name.startswith(start) for start in OF_PART)}
    assert not beyond, beyond
    found = {part for start, part in OF_PART.items() if any(name.startswith(start) for name in more)}
    assert found == {*OF_PART.values()}
    assert not {name for name in light - full if "left_out" not in name and "<" not in name}


def test_every_part_has_its_functions():
    assert {*OF_PART.values()} | COUNTS == set(Part)


def test_what_is_left_out_stands_in_the_record_of_a_training(audits):
    full, short = (audits[each][1]["not asked"] for each in (False, True))
    assert {part.value for part in Part} <= set(short)
    assert not {part.value for part in Part} & set(full)
    model = Model(Config.resolve(network="2 tanh", batch=4), (8, 8, 3))
    before = preflight_audit(model).json()["not asked"]
    assert {part.value for part in Part} | set(OF_PREFLIGHT) <= set(before)
    assert not left_out(False).not_asked


@pytest.mark.parametrize("part", Part)
def test_what_the_short_audit_asks_is_not_said_to_be_left_out(part, monkeypatch):
    assert asked(part, light=False) and not asked(part, light=True)
    monkeypatch.setattr("neurosim.audit.depth.SHORT", frozenset([part]))
    assert asked(part, light=True) and part.value not in left_out(True).not_asked
    assert len(left_out(True).not_asked) == len(Part) - 1
