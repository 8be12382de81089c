"""Text is read and written as UTF-8 whatever the machine's own encoding is: every place that opens text says so."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path
    for place in ("neurosim", "cli", "tests", "examples", "benchmarks", "docs", ".ci")
    for path in (ROOT / place).rglob("*.py")
)
NAMED = {"read_text": 0, "write_text": 1}  # at which place the encoding stands among the arguments


def opens_text(call):
    """Whether a call to open() opens text: the mode is a plain string without "b", or left out."""
    modes = [word.value for word in call.keywords if word.arg == "mode"]
    own = isinstance(call.func, ast.Attribute)  # path.open(mode), where open(path, mode) has the path before it
    modes += call.args[0 if own else 1 :][:1]
    if not modes:
        return not (own and call.args)
    return (
        isinstance(modes[0], ast.Constant) and isinstance(modes[0].value, str) and set(modes[0].value) <= set("rwaxt+")
    )


def left_open(source):
    """The lines of calls that leave the encoding of a text to the machine."""
    found = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", None))
        words = {word.arg for word in call.keywords}
        if "encoding" in words:
            continue
        if name in NAMED:
            bad = len(call.args) <= NAMED[name]
        elif name == "open" and isinstance(call.func, ast.Name):
            bad = opens_text(call)
        elif name == "open":
            bad = bool(call.args or "mode" in words or "newline" in words) and opens_text(call)
        else:
            bad = bool(words & {"text", "universal_newlines"}) and name in {
                "run",
                "Popen",
                "check_output",
                "check_call",
            }
        if bad:
            found.append(call.lineno)
    return found


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_every_text_says_its_encoding(path):
    assert left_open(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "path.read_text()",
        "path.write_text(x)",
        "open(x)",
        "open(x, 'w')",
        "p.open('a')",
        "p.open(newline='')",
        "run(x, text=True)",
    ],
)
def test_what_leaves_it_open_is_found(line):
    assert left_open(line) == [1]


@pytest.mark.parametrize(
    "line",
    [
        "path.read_text('utf-8')",
        "open(x, 'rb')",
        "Run.open(folder)",
        "Image.open(file)",
        "tarfile.open(p, 'r:gz')",
        "p.open('wb')",
    ],
)
def test_what_has_none_is_left_alone(line):
    assert left_open(line) == []
