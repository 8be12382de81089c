"""Imports point downwards only, and nothing differentiates by itself."""

import ast
import configparser
import runpy
import sys
from pathlib import Path

import pytest

import neurosim

ROOT = Path(neurosim.__file__).resolve().parent
# The lowest first; a room may import rooms below it and itself. Two rooms of one line may not import one another.
ORDER = [
    ("errors", "version"),
    ("core",),
    ("kernels",),
    ("plasticity", "engine"),
    ("parts", "data"),
    ("losses",),
    ("networks",),
    ("rules",),
    ("readout",),
    ("training",),
    ("diagnostics",),
    ("audit",),  # nothing but the command line and the report asks for it
    ("report",),
    ("reproduce",),
    ("experiment",),  # the front door: the only file that puts all together
    ("sklearn", "export"),  # know the front door alone
    ("cli",),
]
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
DIFFERENTIATE = {
    "torch",
    "jax",
    "tensorflow",
    "autograd",
    "aesara",
    "pytensor",
    "mxnet",
    "theano",
    "tinygrad",
    "casadi",
    "algopy",
    "paddle",
}
# What a room may import of neurosim, where the order alone would allow more.
ONLY = {
    "errors": set(),
    "core": {"errors"},
    "kernels": {"core", "errors"},
    "engine": {"core", "errors"},
    "plasticity": {"kernels", "core", "errors"},
    "parts": {"plasticity", "kernels", "core", "errors"},
    "losses": {"kernels", "core", "errors"},
    "networks": {"parts", "plasticity", "core", "errors"},
    "rules": {"networks", "parts", "core", "errors", "losses"},
    "data": {"kernels", "core", "errors", "version"},
}


def files():
    """Every file of the package: (path, the room it belongs to)."""
    command = ROOT.parent / "cli"
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT)
        yield path, place.parts[0] if len(place.parts) > 1 else place.stem
    for path in sorted((command if command.is_dir() else ROOT / "cli").rglob("*.py")):
        yield path, "cli"


FILES = [f for f in files() if f[1] not in ("__init__", "__main__")]


def imports(path):
    """Every name that a file imports, those that only type checkers see left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for inner in branch.body
        for node in ast.walk(inner)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            # `from neurosim import x` may name a room or a value of the package itself.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "importlib.import_module"):
            yield (
                ast.unparse(node.args[0]).strip("'\"")
                if isinstance(node.args[0], ast.Constant)
                else "a room of its own"
            )


def room_of(name):
    """The room of neurosim that an imported name belongs to; None: not neurosim's."""
    words = name.split(".")
    if words[0] != "neurosim":
        return None
    room = words[1] if len(words) > 1 else "version"
    return room if room in LEVEL else "version"


@pytest.mark.parametrize(("path", "room"), FILES, ids=[f"{room}-{path.stem}" for path, room in FILES])
def test_imports_point_downwards(path, room):
    assert room in LEVEL, f"{path}: give this room a place in the order"
    met = {room_of(name) for name in imports(path)} - {None, room}
    upwards = {other for other in met if LEVEL[other] >= LEVEL[room]}
    assert not upwards, f"{path} imports {upwards}"
    assert met <= ONLY.get(room, met), f"{path} imports {met - ONLY[room]}"


def test_every_room_below_the_rules_is_read():
    assert {"kernels", "parts", "rules", "losses", "core", "engine", "networks", "cli"} <= {room for _, room in FILES}


@pytest.mark.parametrize(("path", "room"), FILES, ids=[f"{room}-{path.stem}" for path, room in FILES])
def test_nothing_differentiates_by_itself(path, room):
    names = set(imports(path))
    assert not {name.split(".")[0] for name in names} & DIFFERENTIATE
    if room in ONLY:  # the core needs NumPy, a thread pool's control and the standard library
        known = sys.stdlib_module_names | {"neurosim", "numpy", "threadpoolctl", "PIL", "a room of its own"}
        known |= {"cupy", "numba"} if room == "kernels" else set()
        known |= {"scipy", "pyarrow", "datasets"} if room == "data" else set()  # of sources, imported when one is read
        assert {name.split(".")[0] for name in names} <= known


@pytest.mark.parametrize(("path", "room"), FILES, ids=[f"{room}-{path.stem}" for path, room in FILES])
def test_words_of_another_field_name_nothing(path, room):
    """`backward`, `grad`, `module` are no names here: a reader of the field would look for errors and projections."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    named |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    named |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    named -= {"module"} if path.stem == "unpickle" else set()  # the standard library's word in pickle.Unpickler
    assert not named & {"backward", "grad", "module"}


def test_only_bp_s_part_lends_a_forward_weight_to_feedback():
    """Weight transport stands in one file, and only the network's list of feedbacks knows it."""
    users = [path.name for path, _ in FILES if "neurosim.parts.transported.TransportedFeedback" in set(imports(path))]
    assert users == ["network.py"]


def test_the_arrows_between_rooms_are_few():
    """Counted by tests/arrows.py, which prints them; 91 before the rooms were put in order."""
    script = ROOT.parent / "tests" / "arrows.py"
    if not (ROOT.parent / "cli").is_dir():
        pytest.skip("installed without its tests' folder beside it: tests/arrows.py reads the sources")
    assert len(runpy.run_path(str(script))["arrows"](ROOT.parent)) <= 70


@pytest.mark.parametrize(("path", "room"), FILES, ids=[f"{room}-{path.stem}" for path, room in FILES])
def test_files_and_functions_are_short(path, room):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < 300, f"{path}: is it one thing?"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno + 1 < 40 or node.name == "bench", f"{path}: {node.name}"


def test_a_room_says_what_it_is_for():
    for path in sorted(ROOT.rglob("__init__.py")):
        assert len((ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split()) > 10, path


def test_every_room_is_installed():
    """A folder that setup.cfg does not list is missing from the wheel, and nobody who works in a checkout sees it."""
    settings = configparser.ConfigParser()
    if not settings.read(ROOT.parent / "setup.cfg"):
        pytest.skip("not a checkout")
    listed = set(settings["options"]["packages"].split()) - {"neurosim.cli", "neurosim.bench"}
    assert listed == {".".join(path.parent.relative_to(ROOT.parent).parts) for path in ROOT.rglob("__init__.py")}
