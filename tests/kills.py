"""Kill runs at random moments, start them again, and compare what comes out: ``python tests/kills.py --kills 100``.

Each command is started again with the same words until it ends by itself. A kill is SIGKILL, SIGTERM or SIGHUP, drawn. Afterwards
weights, traces and memories (train), the numbers of the read-out (train, evaluate, reproduce) and the files (fetch) must be those
of a run that nobody disturbed, to the last bit; no process of it may be left. Fetch has a server of its own, which is slow.
"""

import argparse
import hashlib
import http.server
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

SIGNALS = [signal.SIGKILL, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
TRAIN = "train --data {data} --network 8_pool,_8_pool --batch 8 --epochs 40 --readout-images 20 --threads 1 --checkpoint-every 0.2"
COMMANDS = {
    "train": f"{TRAIN} --record W1 --out {{out}} --go-on",
    "train --seeds": f"{TRAIN} --out {{out}} --seeds 2",
    "evaluate": "evaluate {run} --labels 10,20 --no-cache --threads 1",
    "reproduce": "reproduce table2 --data-dir {stl} --scale 5e-4 --seeds 1 --only bp --only ll-greedy-rf --threads 2 --jobs 2 "
    "--network 4_hardtanh_pool,_5_hardtanh --readout hinge --out {out}",
    "fetch": "data fetch cifar10 --data-dir {out} --url {server}",
}
MARK = "NEUROSIM_KILLS"  # an environment variable of all that belongs to one run
LEAVE = 20.0  # seconds in which a process without its parent saves and ends
# The command, with CIFAR-10 of a few images.
SMALL = """import dataclasses, json, os
from neurosim.data.sources.cifar10 import Cifar10
archive = dataclasses.replace(Cifar10.files.archive, md5=os.environ["NEUROSIM_KILLS_MD5"], unpacked=1)
Cifar10.files = dataclasses.replace(Cifar10.files, train_rows=40, test_rows=20, archive=archive)
from neurosim.cli.main import main
main()
"""


def started(words, place, out):
    """A command in a process of its own."""
    command = [sys.executable, *(("-c", SMALL) if words[0] == "data" else ("-m", "neurosim")), *words]
    with open(place / "printed", "ab") as printed:
        return subprocess.Popen(
            command,
            stdout=printed,
            stderr=printed,
            cwd=place,
            start_new_session=True,
            env={**os.environ, MARK: str(out)},
        )


def killed(words, place, out, rng, longest, most):
    """Run it, killed at random moments at most so many times; how often it was killed."""
    count = 0
    while True:
        process, until = started(words, place, out), time.monotonic() + rng.uniform(0.05, longest)
        while process.poll() is None and (count >= most or time.monotonic() < until):
            time.sleep(0.01)
        if process.poll() is not None:
            if process.returncode == 0:
                return count
            tail = (place / "printed").read_text("utf-8", "replace").splitlines()[-3:]
            sys.exit(f"error: exit code {process.returncode} of {' '.join(words)}: {tail}")
        number = rng.choice(SIGNALS)
        process.send_signal(number)
        if process.wait(120) not in (-number, 130, 0):
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
    found |= {path.name: path.read_bytes() for path in sorted(folder.rglob("*.bin"))}
    for path in sorted([*folder.rglob("results.json"), *folder.rglob("cells/*.json")]):
        record = json.loads(path.read_text("utf-8"))
        found[str(path.relative_to(folder))] = json.dumps(
            [record.get(name) for name in ("test_accuracy", "curve", "layers", "wiring", "images_seen")]
        ).encode()
    return found


def left(out):
    """Processes of a run that outlive it for long, where the system lets one look."""
    until = time.monotonic() + LEAVE
    while found := marked(out):
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    return found


def marked(out):
    """Processes whose environment names the run; those that have ended and wait for nobody do not count."""
    found, mark = [], f"{MARK}={out}\0".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


class Slow(http.server.BaseHTTPRequestHandler):
    """Serves an archive in small parts, and what is beyond an offset."""

    def do_GET(self):
        data, asked = self.server.data, self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if asked and start >= len(data):
            self.send_response(416)
            self.end_headers()
            return
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        try:
            for place in range(start, len(data), len(data) // 20):
                self.wfile.write(data[place : place + len(data) // 20])
                time.sleep(0.05)
        except OSError:  # whoever asked was killed
            pass

    def log_message(self, *_):
        """Say nothing."""


def served(rng):
    """The address of an archive of CIFAR-10 with few images; its checksum goes to whoever is started."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        files = {f"data_batch_{n}.bin": 40 for n in range(1, 6)} | {"test_batch.bin": 20}
        contents = {
            name: rng.integers(0, 10, (count, 3073)).astype(np.uint8).tobytes() for name, count in files.items()
        }
        contents["batches.meta.txt"] = b"\n".join(b"kind%d" % number for number in range(10))
        for name, data in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.data = packed.getvalue()
    os.environ |= {"NEUROSIM_KILLS_MD5": hashlib.md5(server.data).hexdigest(), "no_proxy": "*"}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/small.tar.gz"


def pictures(folder, rng):
    """STL-10 of few images."""
    folder.mkdir()
    for split, count in {"train": 40, "test": 20, "unlabeled": 18}.items():
        rng.integers(0, 256, (count, 3 * 96 * 96)).astype(np.uint8).tofile(folder / f"{split}_X.bin")
        if split != "unlabeled":
            (np.arange(count) % 10 + 1).astype(np.uint8).tofile(folder / f"{split}_y.bin")
    return folder


def main():
    """Kill, and count."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=100)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--only", nargs="*", choices=COMMANDS, default=list(COMMANDS))
    asked = asked.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    rng, place, total, runs = random.Random(asked.seed), Path(tempfile.mkdtemp(prefix="neurosim-kills-")), 0, 0
    os.environ["XDG_CACHE_HOME"] = str(place / "cache")
    images = np.random.default_rng(1).integers(0, 256, (80, 8, 8, 3)).astype(np.uint8)
    np.savez(place / "some.npz", images=images, labels=np.arange(80) % 4)
    names, draws = asked.only, np.random.default_rng(2)
    given = {"data": place / "some.npz", "stl": pictures(place / "stl10_binary", draws), "server": served(draws)}

    def words(name, out):
        words = [word if "{" in word else word.replace("_", " ") for word in COMMANDS[name].split()]
        return [word.format(**given, out=out, run=out) for word in words]

    wanted, seconds = {}, {}
    for name in names:
        out = place / f"whole {name}".replace(" ", "-")
        if name == "evaluate":
            killed(words("train", out), place, out, rng, 1, 0)
        began = time.monotonic()
        killed(words(name, out), place, out, rng, 1, 0)
        seconds[name], wanted[name] = time.monotonic() - began, outcome(out)
    while total < asked.kills:
        name = names[runs % len(names)]
        out = place / f"run-{runs}"
        if name == "evaluate":
            killed(words("train", out), place, out, rng, 1, 0)
        count = killed(words(name, out), place, out, rng, seconds[name], min(6, asked.kills - total))
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
