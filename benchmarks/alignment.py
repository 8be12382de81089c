"""How near dtp's changes come to back-propagation's while it learns: a figure, and its numbers as JSON beside it.

    python benchmarks/alignment.py --data-dir DIR --out dtp-alignment.png [--batches 400] [--every 20] [--images 10000]

An observer with arrays of its own takes the weights as they are, shows a batch that is never trained on to both rules,
and gives the cosine between each layer's summed outer products by dtp and by bp. 1: the same direction, 0: unrelated.
"""

import argparse
import contextlib
import dataclasses
import json
from pathlib import Path

import numpy as np

from neurosim.config import Config
from neurosim.execute import Program, Workers
from neurosim.session import Session
from neurosim.train import Interrupted, Trainer

ASIDE = 10**6  # an epoch that training never reaches: its draws are nobody else's


class Observer:
    """Sessions of dtp and of bp that only look: they take weights, and give changes.

    Args:
        config: of the run that is observed.
    """

    def __init__(self, config: Config):
        own = {name: None for name in ("top", "target_step", "noise", "inverse_rate", "inverse_steps", "inverse_first")}
        self.sessions = [Session(config), Session(dataclasses.replace(config, rule="bp", **own))]
        self.programs = [Program(s.plan(s.rule.lessons[0]), s.kernels) for s in self.sessions]

    def cosines(self, session: Session, workers: Workers) -> list[float]:
        """One number a layer, layer 1 first, the head last."""
        changes = []
        for mine, program in zip(self.sessions, self.programs, strict=True):
            given = {s.name: s.weight.array for s in session.rule.synapses()}
            for synapse in mine.rule.synapses():
                synapse.weight.array[...] = given[synapse.name]
            for plasticity in mine.rule.plasticities():
                plasticity.rate.array[0] = 0
            mine.show(ASIDE, 0)
            mine.rule.draw(ASIDE, 0)
            program.run(workers)
            paths = [*mine.network.projections, mine.rule.head]
            changes.append([p.synapse.change.array.ravel().astype(float) for p in paths])
        return [float(a @ b / np.sqrt((a @ a) * (b @ b))) for a, b in zip(*changes, strict=True)]


def draw(record: dict, path: Path) -> None:
    """Two panels over batches: the cosines, and the inverses' errors."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), constrained_layout=True)
    layers = len(record["rows"][0]["cosines"]) - 1
    batches = [row["batch"] for row in record["rows"]]
    for layer in range(layers):
        left.plot(batches, [row["cosines"][layer] for row in record["rows"]], label=f"layer {layer + 1}")
    left.axhline(0, color="grey", linewidth=0.8)
    left.set(xlabel="batches", ylabel="cosine with bp's change", ylim=(-0.6, 1), title="alignment with bp")
    left.legend(frameon=False)
    for name in record["rows"][-1]["inverses"]:
        known = [row for row in record["rows"] if row["inverses"]]
        right.plot([row["batch"] for row in known], [row["inverses"][name] for row in known], label=name)
    right.set(xlabel="batches", ylabel="mean squared error, noise included", title="what inverses miss")
    right.legend(frameon=False)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--top", default="target")
    parser.add_argument("--noise", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    config = Config.resolve(rule="dtp", top=args.top, noise=args.noise, data="cifar10", data_dir=args.data_dir,
                            images=args.images, seed=args.seed, threads=args.threads)  # fmt: skip
    trainer, observer = Trainer(Session(config)), Observer(config)
    rows, session = [], trainer.session
    with Workers(config.threads) as workers:
        trainer.start(workers)

        def tell(progress) -> None:
            if progress.done % args.every == 0:
                inverses = {name: float(value.array[0]) for name, value in session.rule.figures().items()}
                rows.append({"batch": progress.done, "cosines": observer.cosines(session, workers), "inverses": inverses})
                print(progress.done, [round(c, 2) for c in rows[-1]["cosines"]], flush=True)
            trainer._stop = trainer._stop or progress.done >= args.batches

        rows.append({"batch": 0, "cosines": observer.cosines(session, workers), "inverses": {}})
        trainer.tell = tell
        with contextlib.suppress(Interrupted):
            trainer.train(workers)
    record = {"config": dataclasses.asdict(config) | {"data_dir": None}, "rows": rows}
    args.out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    draw(record, args.out)


if __name__ == "__main__":
    main()
