"""``neurosim bench``: what it prints, what it writes, how it refuses. No test looks at how long anything took."""

import json
import subprocess
import sys

import pytest

QUICK = ["bench", "--pairs", "2", "--repeats", "1", "--threads", "1"]


def call(*arguments, before="pass"):
    """Run the command; no traceback whatever happens."""
    code = f"import sys; {before}; from neurosim.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_this_machine(tmp_path):
    out = tmp_path / "bench.json"
    done = call(*QUICK, "--rules", "bp,ll-greedy", "--out", str(out))
    assert done.returncode == 0, done.stderr
    for word in ("GFLOP/s", "images/s", "peak", "x floor"):
        assert word in done.stdout
    record = json.loads(out.read_text())
    for word in ("W5 sums its outer products", "every view is deformed"):  # the printed table leaves out what is quick
        assert word in json.dumps(record)
    assert set(record["rules"]) == {"bp", "ll-greedy"}
    assert len(record["rules"]["ll-greedy"]["steps"]) == 5
    before, peak = record["rules"]["bp"]["memory"]["neurosim"]
    assert 0 < before < peak


def test_beside_pytorch():
    pytest.importorskip("torch", reason="the peer is PyTorch")
    done = call(*QUICK, "--against", "torch", "--rules", "ll-random,ll-simultaneous", "--lags", "2", "--no-memory", "--no-table")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("neurosim takes") == 4
    assert "loss and outer products agree" in done.stdout


@pytest.mark.parametrize(("arguments", "line"), [
    (["--rules", "bp,hebb"], "error: rule 'hebb'; expected some of bp"),
    (["--rules", "urf", "--against", "torch"], "error: rule 'urf'; expected some of bp"),
    (["--out", "no/such/folder/b.json"], "error: folder no/such/folder does not exist; expected"),
])  # fmt: skip
def test_refusals(arguments, line):
    done = call("bench", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_without_pytorch_it_says_so():
    done = call("bench", "--against", "torch", before="sys.modules['torch'] = None")
    assert done.returncode == 2
    assert done.stderr.startswith("error: PyTorch is not installed; expected")
    assert done.stderr.count("\n") == 1
