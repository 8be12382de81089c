"""Long and repeated training: ``python tests/soak.py --steps 100000``. Memory, the same bits in many ways, what watching costs.

Memory: what the process holds after a tenth of the steps and at the end. Bits: weights after a run with 1 to 8 threads, interrupted
after every n-th batch, in float32 and float64, resumed with another number of threads. Cost: processor time of the watch for
divergence beside that of a batch of 50 pairs, in pairs, batch by batch.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import neurosim as ns
from neurosim.engine.threads import ThreadTeam
from neurosim.training.callbacks import Each
from neurosim.training.trainer import Callback, Interrupted

IMAGES = np.random.default_rng(1).integers(0, 256, (64, 8, 8, 3)).astype(np.uint8)
SMALL = {"network": "4 pool, 5 pool", "batch": 4, "threads": 1}


def held():
    """Bytes that this process fills, as Linux says."""
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * 4096


def memory(steps):
    """Memory after a tenth of the steps, and at the end."""
    seen = []

    def look(progress):
        if progress.done == steps // 10:
            seen.append(held())

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        experiment = ns.Experiment(data=IMAGES, epochs=max(1, steps // 16), **SMALL)
        experiment.fit(Path(place, "run"), [Each(look)], checkpoint_every=10)
        done = experiment.trainer.progress.done
    seconds = time.perf_counter() - began
    print(f"{done:,} steps in {seconds:.0f} s: {seen[0] / 1e6:.2f} MB after a tenth, {held() / 1e6:.2f} MB at the end")


class Stop(Callback):
    """Stops after every so many batches."""

    def __init__(self, every):
        self.every = every

    def on_batch(self, trainer):
        if trainer.progress.done % self.every == 0:
            trainer.stop()


def weights(threads, precision, every=0, later=None):
    """All arrays after three epochs; interrupted, and resumed with another number of threads."""
    with tempfile.TemporaryDirectory() as place:
        words = {**SMALL, "threads": threads, "precision": precision, "epochs": 3, "batch": 8}
        experiment = ns.Experiment(data=IMAGES, **words)
        folder, callbacks = Path(place, "run"), [Stop(every)] if every else []
        while True:
            try:
                experiment.fit(None if experiment.run else folder, callbacks)
                break
            except Interrupted:
                experiment = ns.load(folder, data=IMAGES, threads=later or threads)
        state = experiment.model.state()
        return {name: np.array(array).tobytes() for name, array in state.items()}


def bits():
    """How many ways of training end with the same bits."""
    count = 0
    for precision in ("float32", "float64"):
        wanted = weights(1, precision)
        ways = [(threads, 0, None) for threads in range(2, 9)]
        ways += [(1, every, None) for every in (1, 2, 3, 5, 7)] + [
            (threads, 3, 9 - threads) for threads in (1, 2, 3, 8)
        ]
        for threads, every, later in ways:
            if weights(threads, precision, every, later) != wanted:
                raise SystemExit(
                    f"error: {precision}, {threads} threads, stopped every {every}, then {later}: other bits"
                )
            count += 1
    print(f"{count} ways of training ended with the same bits")


def cost(batches):
    """What the watch takes of a batch of 50 pairs, in pairs."""
    images = np.random.default_rng(1).integers(0, 256, (200, 32, 32, 3)).astype(np.uint8)
    experiment = ns.Experiment(data=images, rule="ll", batch=50, epochs=1, threads=1)
    from neurosim.training.divergence import Divergence

    watch, trainer, shares = Divergence("warn"), experiment.trainer, []
    with ThreadTeam(1) as team:
        trainer.team = team
        trainer.model.ready(trainer.stream, team)
        watch.on_start(trainer)
        for number in range(batches):
            trainer.progress.batch = 0
            began = time.process_time()
            trainer._batch(team)
            between = time.process_time()
            watch.on_batch(trainer)
            if number:  # the first one makes what the others have
                shares.append((time.process_time() - between) / (between - began))
    low, high = np.quantile(shares, [0.1, 0.9])
    print(
        f"watching takes {statistics.median(shares):.2%} of a batch (a tenth below {low:.2%}, a tenth above {high:.2%})"
    )


def main():
    """Parse, and run."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--steps", type=int, default=0)
    words.add_argument("--bits", action="store_true")
    words.add_argument("--cost", type=int, default=0, metavar="BATCHES")
    asked = words.parse_args()
    if asked.bits:
        bits()
    if asked.cost:
        cost(asked.cost)
    if asked.steps:
        memory(asked.steps)


if __name__ == "__main__":
    main()
