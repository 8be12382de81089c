"""Audits random plans of known truth and counts misses and false alarms by kind.

``python tests/audit/truth/run.py --plans 10000 --out truth.jsonl``: one line a plan is added to the file, and plans that stand
there already are not audited again, so that it may be stopped at any time. ``--counts`` only counts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from plans import truth  # noqa: E402


def audited(seed: int, light: bool = False) -> dict:
    """One plan's verdict beside what is known of it."""
    from neurosim.audit import check

    known, began = truth(seed), time.perf_counter()
    row = {"seed": seed, "kind": known.kind, "guilty": known.guilty}
    try:
        verdict = check(f"plans:Plan{seed}", network=known.network, light=light)
        row |= {"exit": verdict.exit_code, "violated": list(verdict.violated), "line": verdict.line()[:200]}
    except Exception as problem:
        row |= {"exit": -1, "violated": [], "line": f"{type(problem).__name__}: {problem}"[:200]}
    return row | {"seconds": round(time.perf_counter() - began, 2)}


def answer(row: dict) -> str:
    """``right``, ``wrong``, or ``undecided``."""
    if row["exit"] not in (0, 1):
        return "undecided"
    return "right" if row["exit"] == int(row["guilty"]) else "wrong"


def counts(rows: list[dict]) -> str:
    """A line a kind: plans, wrong, undecided; innocent plans count once for each of their traits."""
    found: dict[bool, dict[str, Counter]] = {True: {}, False: {}}
    for row in rows:
        for kind in row["kind"].split("+"):
            found[row["guilty"]].setdefault(kind, Counter())[answer(row)] += 1
    lines = []
    for guilty, word in ((True, "missed"), (False, "false alarms")):
        some = [row for row in rows if row["guilty"] == guilty]
        wrong, open_ = (sum(answer(row) == each for row in some) for each in ("wrong", "undecided"))
        lines.append(f"{'guilty' if guilty else 'innocent'}: {len(some)} plans, {wrong} {word}, {open_} undecided")
        for kind, each in sorted(found[guilty].items()):
            lines.append(
                f"  {kind:<16} {each.total():6} plans {each['wrong']:5} {word}, {each['undecided']:4} undecided"
            )
    return "\n".join(lines)


def main() -> None:
    """Audit what is not in the file yet, then count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plans", type=int, default=300, help="how many seeds")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--out", type=Path, default=Path("truth.jsonl"), help="file of results, added to")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--light", action="store_true", help="as at the start of a training: seconds a hundred plans")
    parser.add_argument("--counts", action="store_true", help="audit nothing")
    asked = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    rows = (
        [json.loads(line) for line in asked.out.read_text(encoding="utf-8").splitlines()] if asked.out.exists() else []
    )
    done, began = {row["seed"] for row in rows}, time.perf_counter()
    with asked.out.open("a", encoding="utf-8") as file:
        for seed in range(asked.start, asked.start + asked.plans):
            if asked.counts or time.perf_counter() - began > asked.seconds:
                break
            if seed not in done:
                rows.append(audited(seed, asked.light))
                file.write(json.dumps(rows[-1]) + "\n")
                file.flush()
    print(counts(rows))


if __name__ == "__main__":
    main()
