"""Mutations still fit the code; that tests notice them is shown by ``python tests/mutation/run.py``, by hand."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

PLACE = Path(__file__).with_name("run.py")
spec = importlib.util.spec_from_file_location("neurosim_mutation_run", PLACE)
run = sys.modules["neurosim_mutation_run"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)
ALL = run.mutations()
SUPPORT = (run.ROOT / "tests/support/forms.py").read_text(encoding="utf-8")  # tests that test files of kernels inherit


@pytest.mark.parametrize("mutation", ALL, ids=[mutation.name for mutation in ALL])
def test_it_applies_once_and_is_python(mutation):
    source = (run.ROOT / mutation.file).read_text(encoding="utf-8")
    mutated = mutation.apply(source)
    assert ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(source))


@pytest.mark.parametrize("mutation", ALL, ids=[mutation.name for mutation in ALL])
def test_its_tests_are_there(mutation):
    assert mutation.tests
    for node in mutation.tests:
        path, *names = node.split("::")
        assert (run.ROOT / path).exists() and path.startswith("tests/")
        assert (
            not names
            or f"def {names[-1].partition('[')[0]}(" in (run.ROOT / path).read_text(encoding="utf-8") + SUPPORT
        )


def test_there_are_enough_in_every_area():
    assert len({mutation.name for mutation in ALL}) == len(ALL) >= 60
    assert {file.stem for file in PLACE.parent.glob("*.toml")} == {
        *(
            "audit",
            "audit_files",
            "audit_more",
            "data",
            "engine",
            "losses",
            "parts",
            "plan",
            "plasticity",
            "readout",
            "replay",
            "rules",
            "symmetry",
            "training",
            "views",
        ),
    }


def test_layout_does_not_matter_and_words_do():
    mutation = run.Mutation("a: b", "c.py", "x = f(1, 2)", "x = 0", ())
    assert mutation.apply("y = 1\nx = f(\n    1,\n    2,\n)\n") == "y = 1\nx = 0\n"
    for source in ("max = f(1, 2)", "x = f(1, 21)", "x = f(1, 2); x = f(1, 2)"):
        with pytest.raises(ValueError, match="expected once"):
            mutation.apply(source)
