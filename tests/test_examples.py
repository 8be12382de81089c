"""The scripts that a teacher shows: they run as a reader would run them, and what they print is true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="the pictures need the extra `plots`")
Image = pytest.importorskip("PIL.Image")

ROOT = Path(__file__).parents[1]
NAMES = ("one_synapse", "memory_and_collapse", "swap_a_weight")
NUMBER = r"([-+]?\d+\.\d+(?:e[-+]\d+)?)"


def run(script, *arguments):
    """Run a script as a reader would, every warning an error; its printed lines."""
    ours = {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", str(ROOT / script), *map(str, arguments)]
    done = subprocess.run(command, env=os.environ | ours, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def check_picture(path, least=(600, 250)):
    """A PNG, large enough to read, small enough for a repository, and not blank."""
    assert path.stat().st_size < 150_000
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width >= least[0]
        assert picture.height >= least[1]
        pixels = np.asarray(picture.convert("L"))
    assert np.ptp(pixels) > 100
    assert (pixels < 200).mean() > 0.005


def numbers(text, before):
    """Every number that follows the words ``before``."""
    return [float(found) for found in re.findall(re.escape(before) + r"\s*" + NUMBER, text)]


def test_one_synapse(tmp_path):
    told = run("examples/one_synapse.py", tmp_path / "out.png")
    (plan,), (hand,) = numbers(told, "change by the plan:"), numbers(told, "change by hand:")
    assert plan != 0
    assert plan == hand
    assert numbers(told, "relative difference:")[0] < 1e-12
    before, after, expected = re.search(rf"weight: {NUMBER} -> {NUMBER};.*= {NUMBER}", told).groups()
    assert before != after
    assert after == expected
    check_picture(tmp_path / "out.png")


def test_memory_and_collapse(tmp_path):
    told = run("examples/memory_and_collapse.py", tmp_path / "out.png")
    assert re.findall(r"lag (\d): (\d)", told) == [("0", "6"), ("1", "5"), ("2", "4"), ("3", "3"), ("4", "2")]
    ends = re.findall(rf"(\w+) negatives: different images {NUMBER} apart at first, {NUMBER} at the end", told)
    first, last = ({name: float(values[place]) for name, *values in ends} for place in (0, 1))
    assert first["with"] == first["without"]  # the same weights, the same images
    assert last["with"] > first["with"]
    assert last["without"] < first["without"] / 4
    check_picture(tmp_path / "out.png")


def test_swap_a_weight(tmp_path):
    told = run("examples/swap_a_weight.py", tmp_path / "out.png")
    same = dict(re.findall(r"^(\w+): W3 is swapped.*bit-identical: (\w+)$", told, re.MULTILINE))
    assert same == {"bp": "False", "urf": "True", "ll": "True"}
    shares = {name: int(share) for name, share in re.findall(r"the change of (\w+) differs by (\d+) %", told)}
    assert set(shares) == {"W1", "W2"}  # below W3; W4 and the head get their errors from above it
    assert min(shares.values()) > 10
    check_picture(tmp_path / "out.png")


@pytest.mark.parametrize("name", NAMES)
def test_is_short_and_is_told(name):
    path = ROOT / "examples" / f"{name}.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 80
    assert f"examples/{name}.py" in (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    check_picture(path.with_suffix(".png"))


@pytest.mark.parametrize("rule", ["ll", "bp", "rf", "urf"])
def test_plan_picture(tmp_path, rule):
    run("docs/plan_picture.py", tmp_path / "out.png", "--rule", rule)
    check_picture(tmp_path / "out.png", (1500, 1000))


def test_plan_picture_where_it_cannot_be_written(tmp_path):
    command = [sys.executable, str(ROOT / "docs/plan_picture.py"), str(tmp_path / "missing" / "out.png")]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
