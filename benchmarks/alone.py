"""One side in a process of its own: two steps of every lesson, then its peak memory on one line."""

import json
import resource
import sys
from pathlib import Path


def megabytes():
    """MiB that this process held at its peak."""
    try:  # Linux's own count begins with the program; ru_maxrss begins with what the parent held
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        size = 1024 if sys.platform != "darwin" else 1024**2
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / size


def main(asked):
    """Import what the side needs, note the memory, take the steps, print both peaks."""
    if asked["name"] != "neurosim":
        import neurosim.bench.peers_torch  # noqa: F401  what the process needs before it has any data
    from neurosim.bench.turns import build

    from neurosim.execute import Workers

    imported = megabytes()
    with Workers(asked["threads"]) as workers:
        names = [asked["name"]]
        side = build(names, asked["rule"], asked["pairs"], asked["threads"], workers, asked["options"])[asked["name"]]
        for lesson in side.lessons:
            for _ in range(2):
                side.step(lesson)
    print(json.dumps([imported, megabytes()]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
