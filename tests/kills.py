"""Kill runs at random moments, start them again, and compare what comes out: ``python tests/kills.py --kills 100``.

Each command is started again with the same words until it ends by itself. A kill is SIGKILL, SIGTERM or SIGHUP, drawn. Afterwards
weights, traces and memories (train) and the numbers of the read-out (train, evaluate, reproduce) must be those of a run that nobody
disturbed, to the last bit. ``--data-dir`` with CIFAR-10 and CIFAR-100 lets reproduce take part.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIGNALS = [signal.SIGKILL, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
TRAIN = "train --data {data} --network 8_pool,_8_pool --batch 8 --epochs 40 --readout-images 20 --threads 1 --checkpoint-every 0.2"
COMMANDS = {
    "train": f"{TRAIN} --record W1 --out {{out}} --go-on",
    "train --seeds": f"{TRAIN} --out {{out}} --seeds 2",
    "evaluate": "evaluate {run} --labels 10,20 --no-cache --threads 1",
    "reproduce": "reproduce table1 --data-dir {cifar} --scale 1e-5 --seeds 1 --only ll --threads 1 --out {out}",
}


def started(words, place):
    """A command in a process of its own."""
    command = [sys.executable, "-m", "neurosim", *words]
    with open(place / "printed", "ab") as printed:
        return subprocess.Popen(command, stdout=printed, stderr=printed, cwd=place, start_new_session=True)


def killed(words, place, rng, longest, most):
    """Run it, killed at random moments at most so many times; how often it was killed."""
    count = 0
    while True:
        process, until = started(words, place), time.monotonic() + rng.uniform(0.05, longest)
        while process.poll() is None and (count >= most or time.monotonic() < until):
            time.sleep(0.01)
        if process.poll() is not None:
            if process.returncode == 0:
                return count
            tail = (place / "printed").read_text("utf-8", "replace").splitlines()[-3:]
            sys.exit(f"error: exit code {process.returncode} of {' '.join(words)}: {tail}")
        number = rng.choice(SIGNALS)
        process.send_signal(number)
        if process.wait(60) not in (-number, 130, 0):
            sys.exit(f"error: exit code {process.returncode} after signal {number} of {' '.join(words)}")
        count += 1


def outcome(folder):
    """All that must be the same: every array of every checkpoint, and the numbers of every results file."""
    found = {}
    for path in sorted(folder.rglob("checkpoint.npz")):
        with np.load(path) as file:
            found |= {
                f"{path.parent.relative_to(folder)} {name}": file[name].tobytes()
                for name in file.files
                if name != "meta"
            }
    for path in sorted([*folder.rglob("results.json"), *folder.rglob("cells/*.json")]):
        record = json.loads(path.read_text("utf-8"))
        found[str(path.relative_to(folder))] = json.dumps(
            [record.get(name) for name in ("test_accuracy", "curve", "layers", "wiring", "images_seen")]
        ).encode()
    return found


def left(out):
    """Processes of ours that outlived their parent, where the system lets one look."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = entry.read_bytes()
        except OSError:
            continue
        if str(out).encode() in text and b"neurosim" in text:
            found.append(entry.parent.name)
    return found


def main():
    """Kill, and count."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=100)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--only", nargs="*", choices=COMMANDS, default=list(COMMANDS))
    asked.add_argument("--data-dir", type=Path, help="with CIFAR-10 and CIFAR-100, for reproduce")
    asked = asked.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    rng, place, total, runs = random.Random(asked.seed), Path(tempfile.mkdtemp(prefix="neurosim-kills-")), 0, 0
    os.environ["XDG_CACHE_HOME"] = str(place / "cache")
    images = np.random.default_rng(1).integers(0, 256, (80, 8, 8, 3)).astype(np.uint8)
    np.savez(place / "some.npz", images=images, labels=np.arange(80) % 4)
    names = [name for name in asked.only if name != "reproduce" or asked.data_dir is not None]

    def words(name, out):
        parts = {"data": place / "some.npz", "out": out, "run": out, "cifar": asked.data_dir}
        return [word.replace("_", " ").format(**parts) for word in COMMANDS[name].split()]

    wanted, seconds = {}, {}
    for name in names:
        out = place / f"whole {name}".replace(" ", "-")
        if name == "evaluate":
            killed(words("train", out), place, rng, 1, 0)
        began = time.monotonic()
        killed(words(name, out), place, rng, 1, 0)
        seconds[name], wanted[name] = time.monotonic() - began, outcome(out)
    while total < asked.kills:
        name = names[runs % len(names)]
        out = place / f"run-{runs}"
        if name == "evaluate":
            killed(words("train", out), place, rng, 1, 0)
        count = killed(words(name, out), place, rng, seconds[name], min(6, asked.kills - total))
        total, runs = total + count, runs + 1
        found = outcome(out)
        if found != wanted[name]:
            sys.exit(
                f"error: {name} in {out} ended otherwise: {[key for key in wanted[name] if found.get(key) != wanted[name][key]]}"
            )
        if orphans := left(out):
            sys.exit(f"error: {name} left the processes {orphans}")
        print(f"{name}: killed {count} times, {total} in all; the same bits", flush=True)
    print(f"{total} kills of {runs} runs of {', '.join(names)} (seed {asked.seed}): nothing lost, no process left")


if __name__ == "__main__":
    main()
