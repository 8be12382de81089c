"""``neurosim bench``: what it prints, what it writes, how it refuses. No test looks at how long anything took."""

import json
import subprocess
import sys

import numpy as np
import pytest
from neurosim.bench import compiled, convolutions, threads
from neurosim.bench.sides import gain_for
from neurosim.bench.turns import SIDES, build, check

from neurosim.data.views.affine import Affine
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import RunError, WiringError
from neurosim.kernels.views import deform

QUICK = ["bench", "--pairs", "2", "--repeats", "1", "--threads", "1"]


def call(*arguments, before="pass"):
    """Run the command; no traceback whatever happens."""
    code = f"import sys; {before}; from neurosim.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, encoding="utf-8", timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_this_machine(tmp_path):
    out = tmp_path / "bench.json"
    done = call(*QUICK, "--rules", "bp,ll-greedy", "--out", str(out))
    assert done.returncode == 0, done.stderr
    for word in (" cores, Python ", "GFLOP/s", "images/s", "peak", "x floor"):
        assert word in done.stdout
    record = json.loads(out.read_text(encoding="utf-8"))
    for word in ("W5 sums its outer products", "every view is deformed"):  # the printed table leaves out what is quick
        assert word in json.dumps(record)
    assert set(record["rules"]) == {"bp", "ll-greedy"}
    # Every step has a time of its own, also where several steps have one kernel.
    assert all(row["ms"] > 0 for rows in record["rules"]["ll-greedy"]["steps"] for row in rows if row["kernel"])
    assert len(record["rules"]["ll-greedy"]["steps"]) == 5
    before, peak = record["rules"]["bp"]["memory"]["neurosim"]
    assert 0 < before < peak


def test_beside_pytorch():
    pytest.importorskip("torch", reason="the peer is PyTorch")
    done = call(
        *QUICK, "--against", "torch", "--rules", "ll-random,ll-simultaneous", "--lags", "2", "--no-memory", "--no-table"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("neurosim takes") == 4 + 2 * ("compiler fails and is left out" not in done.stdout)
    assert "loss and outer products agree" in done.stdout


@pytest.mark.parametrize("options", [[], ["--deform", "--lags", "2", "--plasticity", "signum"]])
def test_target_propagation_beside_pytorch(options, tmp_path):
    pytest.importorskip("torch", reason="the peer is PyTorch")
    out = tmp_path / "bench.json"
    done = call(*QUICK, "--against", "torch", "--rules", "dtp", "--no-memory", *options, "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("neurosim takes") == 2 + ("compiler fails and is left out" not in done.stdout)
    assert "loss and outer products agree" in done.stdout
    steps = json.dumps(json.loads(out.read_text(encoding="utf-8"))["rules"]["dtp"]["steps"])
    assert "G2 sums its outer products" in steps
    assert ("every view is deformed" in steps) == ("--deform" in options)


@pytest.mark.parametrize("tuned", [False, True])
def test_pytorch_deforms_as_the_kernel_does(tuned):
    pytest.importorskip("torch", reason="the peer is PyTorch")
    from neurosim.bench.peers_deform import Deformed

    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (8, 12, 16, 3), np.uint8)
    images[0], images[1], images[2, :6] = 0, 255, [[[90, 90, 90]]]
    images[3, ..., 2] = images[3, ..., 0]  # two largest, or two least
    parameters = Affine(saturation=3.0, hue=0.5).draw(rng, 8)
    wanted = np.empty(images.shape, np.float32)
    deform.form("cpu")(images, **parameters, out=wanted, border=False)
    assert np.abs(Deformed(images, parameters, tuned).look().permute(0, 2, 3, 1).numpy() - wanted).max() < 1e-4


@pytest.mark.parametrize(("part", "told"), [("noise", "[A-Zb]+[0-9]"), ("flip", "a view")])
def test_a_side_that_differs_is_found(part, told):
    pytest.importorskip("torch", reason="the peer is PyTorch")
    options = {"lags": None, "feedback": "urf", "plasticity": "adam", "deformed": True}
    with ThreadTeam(1) as team:
        names = [name for name in SIDES if name != "compiled"]  # compiling takes minutes
        sides = build(names, "dtp", 4, 1, team, options)
        assert 0 < check("dtp", sides, gain_for("dtp"), 1e-3) < 1e-3
        assert all(set(sides[name].peer.changes()) == set(sides["neurosim"].synapses()) for name in names[1:])
        odd = sides["published"]
        if part == "noise":
            odd.peer.listen({number: np.zeros((8, *odd.peer.maps[number]), np.float32) for number in odd.peer.restored})
        else:
            odd._eye.flip = ~odd._eye.flip
        with pytest.raises(RunError, match=rf"{told} of neurosim and of PyTorch \(published\) differ"):
            check("dtp", sides, gain_for("dtp"), 1e-3)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--rules", "bp,dtp", "--feedback", "rf"], "error: --feedback rf with bp,dtp; expected a rule that takes it"),
        (["--rules", "bp,hebb"], "error: rule 'hebb'; expected some of bp"),
        (["--rules", "urf", "--against", "torch"], "error: rule 'urf'; expected some of bp"),
        (["--out", "no/such/folder/b.json"], "error: folder no/such/folder does not exist; expected"),
    ],
)
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


def test_convolutions_are_timed_in_tiles_and_by_the_plain_sum(capsys):
    convolutions.main(
        ["--network", "16 hardtanh, 17 pool, 18 hardtanh", "--side", "8", "--rows", "2", "--repeats", "1"]
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["W2", "W3"]  # three channels are too few for tiles
    assert all(len(line.split()) == 12 for line in lines[2:]) and "8x8x16 -> 17, 2 views" in lines[2]
    with pytest.raises(WiringError, match=r"--rows 16,x --repeats 30; expected whole numbers"):
        convolutions.main(["--rows", "16,x"])


def test_kernels_are_timed_on_one_thread_and_on_all(capsys):
    threads.threads.callback(2, 1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["kernel", "chunk", "one", "thread", "2", "threads", "microseconds", "a"]
    rows = [
        line.removesuffix("1,000 numbers").removesuffix("1,000 synapses").removesuffix("view").rsplit(maxsplit=3)
        for line in lines[2:]
    ]
    assert [row[0] for row in rows[:4]] == ["four additions"] * 3 + ["deform"]
    assert all(int(size) > 0 and float(alone) > 0 and float(together) > 0 for _, size, alone, together in rows)
    with pytest.raises(WiringError, match="one thread; expected at least two"):
        threads.threads.callback(1, 15)


def test_compiled_forms_and_plain_ones_in_turns(capsys):
    pytest.importorskip("numba", reason="it compiles the loops")
    compiled.compiled.callback("ll-simultaneous", 2, "ladder", 1, 1)
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("ll-simultaneous")
    assert [part.split()[-4 if number == 0 else 0] for number, part in enumerate(line.split(";"))] == [*compiled.SIDES]


def test_compiled_forms_without_numba(monkeypatch):
    monkeypatch.setattr(compiled, "faster", lambda backend: backend)
    with pytest.raises(WiringError, match=r"pip install 'neurosim\[compiled\]'"):
        compiled.compiled.callback("bp", 2, "adam", 1, 1)
