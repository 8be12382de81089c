"""What measures growth and overhead: what it writes, what it draws, how it refuses. No test looks at how long anything took."""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
from neurosim.bench.overhead import CHECKPOINT, LOOP, PROGRAMS, SHOW, shares
from neurosim.bench.scaling import line

TINY = ["--pairs", "2,3,4", "--layers", "1,2,3", "--epochs", "1,2,3", "--batch", "2", "--repeats", "1"]


def call(module, *arguments, before="pass"):
    """Run a benchmark as its own command; no traceback whatever happens."""
    code = (
        f"import sys, runpy; {before}; runpy.run_module('neurosim.bench.{module}', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments], capture_output=True, encoding="utf-8", timeout=300
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_line_is_found_again():
    found = line([1, 2, 4], [5.0, 7.0, 11.0])
    assert found["slope"] == pytest.approx(2) and found["start"] == pytest.approx(3)
    assert found["R2"] == pytest.approx(1) and found["largest distance"] == pytest.approx(0, abs=1e-12)
    bent = line([1, 2, 3], [1.0, 4.0, 9.0])
    assert bent["slope"] == pytest.approx(4) and bent["R2"] == pytest.approx(1 - (2 / 3) / (98 / 3))
    assert bent["largest distance"] == pytest.approx(1 / 3)  # of the first: the line gives 2/3 for 1
    level = line([1, 2, 3], [6.0, 6.0, 6.0])
    assert level["slope"] == pytest.approx(0, abs=1e-12) and level["R2"] is None


def test_growth_is_measured_written_and_drawn(tmp_path):
    out = tmp_path / "scaling.json"
    drawn = ["--figure", str(tmp_path / "scaling.png")] if importlib.util.find_spec("matplotlib") else []
    done = call("scaling", *TINY, "--out", str(out), *drawn)
    assert done.returncode == 0, done.stderr
    for word in ("ms a pair", "ms a layer", "bytes an image", "R^2"):
        assert word in done.stdout
    record = json.loads(out.read_text(encoding="utf-8"))
    assert {"machine", "numpy", "date", "threads"} <= set(record)
    for panel, sizes in (("pairs", [2, 3, 4]), ("layers", [1, 2, 3])):
        assert set(record[panel]) == {"bp", "ll-simultaneous"}
        for found in record[panel].values():
            assert found["sizes"] == sizes and len(found["wall"]) == len(found["processor"]) == 3
            assert min(found["wall"] + found["processor"]) > 0
    assert record["epochs"]["sizes"] == [20, 40, 60]
    for before, peak in zip(record["epochs"]["MiB before any data"], record["epochs"]["MiB at the peak"], strict=True):
        assert 0 < before < peak
    if drawn:
        assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "before", "told"),
    [
        (["--figure", "a.gif"], "pass", "error: --figure a.gif; expected a name that ends in .png"),
        (["--out", "no/such/folder/a.json"], "pass", "error: folder no/such/folder does not exist; expected"),
        (
            ["--figure", "a.png"],
            "import importlib.util as u; old = u.find_spec; "
            "u.find_spec = lambda name, *more: None if name == 'matplotlib' else old(name, *more)",
            "error: matplotlib is not installed; expected it, to draw with; run `pip install 'neurosim[plots]'`",
        ),
        (
            ["--pairs", "10,5,20"],
            "pass",
            "Error: Invalid value for '--pairs': '10,5,20'; expected three or more rising",
        ),
        (["--layers", "1,2"], "pass", "Error: Invalid value for '--layers': '1,2'; expected three or more rising"),
    ],
)
def test_refusals(arguments, before, told):
    done = call("scaling", *arguments, before=before)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith(told)


def test_the_parts_of_a_run_are_told_apart(tmp_path):
    out = tmp_path / "overhead.json"
    done = call("overhead", "--images", "40", "--batch", "4", "--batches", "3", "--epochs", "2", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "beside its programs run alone" in done.stdout
    record = json.loads(out.read_text(encoding="utf-8"))
    assert sum(part["share"] for part in record["parts"].values()) == pytest.approx(1)
    assert [record["spent"][name][2] for name in (PROGRAMS, SHOW, CHECKPOINT)] == [
        6,
        6,
        2,
    ]  # a checkpoint before the first batch, and one at the end


def test_what_happens_once_an_epoch_counts_once_an_epoch():
    spent = {
        "programs": [10.0, 10, 10],
        "all": [24.0, 24, 1],
        "programs alone": [5.0, 5, 10],
        CHECKPOINT: [2.0, 2, 1],
        "metrics.csv, once an epoch": [4.0, 4, 2],
        SHOW: [1.0, 1, 10],
        "the rule's own draws": [0.0, 0, 10],
        "progress told and drawn": [1.0, 1, 10],
    }
    found = {name: part["processor"] for name, part in shares(spent, 100).items()}
    assert found[LOOP] == pytest.approx(0.1)  # 24 s less 5 alone and 18 of parts
    assert found["metrics.csv, once an epoch"] == pytest.approx(2 / 100)  # 2 s an epoch of 100 batches
    assert found[CHECKPOINT] == pytest.approx(2 * (1 + 0.1 + 0.1 + 0.1) / 60)  # 2 s a minute, 1.3 s a batch
    assert np.isclose(sum(part["share"] for part in shares(spent, 100).values()), 1)


def test_overhead_refuses_what_cannot_be_timed():
    for arguments, told in (
        (["--rule", "none"], "error: --rule none trains nothing"),
        (["--images", "100", "--batches", "9"], "error: --batches 9 of 50; expected"),
    ):
        done = call("overhead", *arguments)
        assert done.returncode == 2 and done.stderr.startswith(told) and done.stderr.count("\n") == 1
