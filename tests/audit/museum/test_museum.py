"""The museum: every file in ``rules/`` is one rule, violating or innocent, with the verdict that it must get.

A file begins with what the rule does and why it is, or is not, plausible; then ``EXPECTED``:

- ``exit``: 0 no violation, 1 violated, 3 undecided;
- ``condition``: of a violation, those that may be named, at least one of which must be;
- ``says``: a pattern of the report: the array or the step that is the evidence;
- ``grade``: of an innocent rule, how local it is;
- ``network``, ``options``: that it is audited with, where not the usual ones;
- ``replay``: only a fresh process shows it; the others are audited without one, unless NEUROSIM_ALL=1 (a quarter of an hour);
- ``process``: it is audited by the command line in a process of its own, since it ends or changes the one it runs in.

``later.txt`` names rules that the audit still gets wrong, one a line with the reason: they must fail.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from neurosim.audit import Verdict, check
from neurosim.audit.evidence import Evidence
from neurosim.errors import UndecidedError

RULES = Path(__file__).parent / "rules"
NETWORK = "5 hardtanh, 5 hardtanh, 5 hardtanh pool"  # layers of one size, so that one may be mistaken for another
NAMES = sorted(file.stem for file in RULES.glob("*.py") if file.stem != "lab")
LATER = dict(
    line.split(": ", 1)
    for line in (Path(__file__).parent / "later.txt").read_text(encoding="utf-8").splitlines()
    if ": " in line
)


def expected(name):
    """What a file's EXPECTED says, without importing it."""
    tree = ast.parse((RULES / f"{name}.py").read_text(encoding="utf-8"))
    [found] = [s for s in tree.body if isinstance(s, ast.Assign) and getattr(s.targets[0], "id", "") == "EXPECTED"]
    return ast.literal_eval(found.value)


def cases():
    """Every rule, those of later.txt marked."""
    marks = {name: [pytest.mark.xfail(reason=reason)] for name, reason in LATER.items()}
    return [pytest.param(name, marks=marks.get(name, [])) for name in NAMES]


def test_the_museum_is_large_and_its_list_of_exceptions_current():
    wanted = [expected(name) for name in NAMES]
    assert sum(each["exit"] == 1 for each in wanted) >= 80 and sum(each["exit"] == 0 for each in wanted) >= 40
    assert set(LATER) <= set(NAMES)
    for name in NAMES:
        assert len(ast.get_docstring(ast.parse((RULES / f"{name}.py").read_text(encoding="utf-8"))) or "") > 40, name


@pytest.mark.parametrize("name", cases())
def test_rule(name, monkeypatch):
    wanted = expected(name)
    monkeypatch.chdir(RULES)
    monkeypatch.syspath_prepend(str(RULES))
    if not (wanted.get("replay") or os.environ.get("NEUROSIM_ALL")):
        monkeypatch.setattr("neurosim.audit.checks.Replay", NoReplay)
    code, violated, text = (by_process if wanted.get("process") else by_call)(name, wanted)
    assert code == wanted["exit"], text
    if code == 1:
        assert violated & set(wanted["condition"].split()), text
    assert re.search(wanted.get("says", ""), text, re.DOTALL), text
    if "grade" in wanted and hasattr(Verdict, "grade"):
        assert "grade: " + wanted["grade"] in text, text


class NoReplay:
    """In place of the fresh processes, which take seconds a rule."""

    def __init__(self, target):
        """Ask nothing of a target."""

    def analyse(self):
        """Nothing was found."""
        return Evidence("replay")


def by_call(name, wanted):
    """The verdict in this process."""
    try:
        verdict = check(f"{name}:Museum", network=wanted.get("network", NETWORK))
    except UndecidedError as problem:
        return 3, set(), str(problem)
    return verdict.exit_code, set(verdict.violated), verdict.text()


def by_process(name, wanted):
    """The verdict of the command line."""
    command = [sys.executable, "-m", "neurosim", "audit", "--rule", f"{name}:Museum"]
    command += ["--network", wanted.get("network", NETWORK), *wanted.get("options", [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(RULES), *sys.path])}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=180, env=environment)
    text = done.stdout + done.stderr
    lines = [line for line in text.splitlines() if line.lower().startswith("verdict")]
    violated = {word for line in lines for word in re.findall(r"\((i{1,3}|iv)\)", line)}
    violated |= {"declared"} if any("declared" in line for line in lines) else set()
    return done.returncode, violated, text
