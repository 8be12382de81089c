"""Read very many damaged files: ``python tests/fuzz/run.py --inputs 1000000``. Prints a line a finding, and a table at the end.

Half of the inputs are damaged bytes, half are damaged within, with container and sums kept valid. Reading happens in a child with
an address space of 2 GiB; an input that takes 10 s, ends the child, or raises what is no refusal of one line is a finding, and is
kept in a file. The same seed gives the same inputs.
"""

import argparse
import collections
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
MEMORY, SECONDS = 2 << 30, 10
OFTEN = 5  # times as many inputs for readers that take well below a millisecond


def late(*_):
    """Too long."""
    from readers import Slow

    raise Slow


def child(asked):
    """Read inputs from a number on, and say each number before it is read."""
    import warnings

    import readers

    from neurosim.report import figures

    figures.can_plot = lambda: False  # what is drawn was read before
    warnings.simplefilter("ignore")
    lab = readers.Lab(asked.place)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, late)
    times = {name: 1 if readers.slow(name) else OFTEN for name in sorted(lab.readers)}
    turns = [(name, turn) for name, often in times.items() for turn in range(often)]
    wholes = {name: (lab.place / name).read_bytes() if (lab.place / name).exists() else None for name in times}
    counts, state = collections.Counter(), asked.place / "state"
    until, began = time.monotonic() + asked.seconds, asked.first
    for number in range(asked.first, asked.inputs):
        if time.monotonic() > until:
            break
        name, turn = turns[number % len(turns)]
        reader = lab.readers[name]
        if number % 64 == 0 or number == began:
            state.write_text(json.dumps({"number": number, "counts": counts}), "utf-8")
        within, data = readers.one(reader, number // len(turns) * times[name] + turn, asked.seed)
        (asked.place / "last").write_bytes(number.to_bytes(8, "little") + data)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        found = readers.attempt(lab, reader, data)
        signal.setitimer(signal.ITIMER_REAL, 0)
        counts[
            f"{reader.name}|{'within' if within else 'raw'}|{found if found in ('read', 'refused') else 'FOUND'}"
        ] += 1
        if found not in ("read", "refused"):
            report(asked, reader.name, number, data, found)
        if wholes[reader.name] is not None:  # others look at it, too
            (lab.place / reader.name).write_bytes(wholes[reader.name])
    else:
        number = asked.inputs
    state.write_text(json.dumps({"number": number, "counts": counts, "done": True}), "utf-8")


def report(asked, name, number, data, text):
    """Keep an input that is a finding."""
    asked.kept.mkdir(parents=True, exist_ok=True)
    (asked.kept / f"{number}-{Path(name).name}").write_bytes(data)
    print(f"FOUND {number} {name}: {text.strip().splitlines()[-1][:300]}", flush=True)
    (asked.kept / f"{number}.txt").write_text(text, "utf-8", "replace")


def parent(asked):
    """Start children until all is read; one that ends by itself is a finding."""
    total, began, first, crashes = collections.Counter(), time.monotonic(), asked.first, 0
    while first < asked.inputs and time.monotonic() - began < asked.seconds:
        place = Path(tempfile.mkdtemp(prefix="fuzz-", dir=asked.place))
        left = asked.seconds - (time.monotonic() - began)
        command = [
            sys.executable,
            __file__,
            "--child",
            "--place",
            str(place),
            "--first",
            str(first),
            "--inputs",
            str(asked.inputs),
        ]
        command += ["--seed", str(asked.seed), "--seconds", str(left), "--kept", str(asked.kept)]
        ended = subprocess.run(
            command, check=False, env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "XDG_CACHE_HOME": str(place)}
        )
        state = (
            json.loads((place / "state").read_text("utf-8"))
            if (place / "state").exists()
            else {"number": first, "counts": {}}
        )
        total.update(state["counts"])
        first = state["number"]
        if not (place / "last").exists():
            sys.exit("error: the child reads nothing; expected inputs; see above")
        if not state.get("done"):
            held = (place / "last").read_bytes()
            last = int.from_bytes(held[:8], "little")
            crashes += 1
            print(f"FOUND {last}: the child ended with {ended.returncode}", flush=True)
            asked.kept.mkdir(parents=True, exist_ok=True)
            (asked.kept / f"{last}-ended").write_bytes(held[8:])
            first = last + 1
            if crashes > 50:
                break
        shutil.rmtree(place, ignore_errors=True)
    table(total, time.monotonic() - began, crashes)
    asked.out and asked.out.write_text(json.dumps(total, indent=1, sort_keys=True), "utf-8")
    sys.exit(1 if crashes or any("FOUND" in key for key in total) else 0)


def table(total, seconds, crashes):
    """How many of each were read, refused, and found."""
    names = sorted({key.split("|")[0] for key in total})
    print(f"{'reader':44} {'inputs':>9} {'read':>9} {'refused':>9} {'found':>6}")
    for name in names:
        mine = {key: count for key, count in total.items() if key.split("|")[0] == name}
        by = [sum(count for key, count in mine.items() if key.endswith(word)) for word in ("read", "refused", "FOUND")]
        print(f"{name:44} {sum(mine.values()):9,} {by[0]:9,} {by[1]:9,} {by[2]:6,}")
    count, within = sum(total.values()), sum(n for key, n in total.items() if "|within|" in key)
    print(
        f"{count:,} inputs, {within:,} of them damaged within, {seconds:.0f} s, {count / max(seconds, 1):.0f} a second"
    )
    print(
        f"{sum(n for key, n in total.items() if 'FOUND' in key)} findings, {crashes} children that ended by themselves"
    )


def main():
    """Parse, and run."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--inputs", type=int, default=100_000)
    words.add_argument("--first", type=int, default=0)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--seconds", type=float, default=1e9)
    words.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()))
    words.add_argument("--kept", type=Path, default=Path("fuzz-found"))
    words.add_argument("--out", type=Path)
    words.add_argument("--child", action="store_true")
    asked = words.parse_args()
    (child if asked.child else parent)(asked)


if __name__ == "__main__":
    main()
