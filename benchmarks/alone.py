"""One side in a process of its own: two steps of every phase, or a training run; then its peak memory on one line."""

import json
import resource
import sys
import tempfile
from pathlib import Path


def megabytes():
    """MiB that this process held at its peak."""
    try:  # Linux's own count begins with the program; ru_maxrss begins with what the parent held
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        size = 1024 if sys.platform != "darwin" else 1024**2
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / size


def main(asked):
    """Import what is needed, note the memory, take the steps, print both peaks."""
    if asked["name"] not in ("neurosim", "training"):
        import neurosim.bench.peers_torch  # noqa: F401  what the process needs before it has any data
    work = train if asked["name"] == "training" else step
    print(json.dumps([work(asked), megabytes()]))


def step(asked):
    """Two steps of every phase of a side; gives the MiB before any data."""
    from neurosim.bench.turns import build

    from neurosim.engine.threads import ThreadTeam

    imported = megabytes()
    with ThreadTeam(asked["threads"]) as team:
        names = [asked["name"]]
        side = build(names, asked["rule"], asked["pairs"], asked["threads"], team, asked["options"])[asked["name"]]
        for phase in side.phases:
            for _ in range(2):
                side.step(phase)
    return imported


def train(asked):
    """A training run as `neurosim train` does it, checkpoints and all, on random pictures; gives the MiB before any data."""
    import numpy as np

    from neurosim.data.dataset import Dataset
    from neurosim.engine.threads import ThreadTeam
    from neurosim.training.callbacks import Checkpoints, Metrics
    from neurosim.training.config import Config
    from neurosim.training.folder import Run
    from neurosim.training.model import Model
    from neurosim.training.stream import ViewStream
    from neurosim.training.trainer import Trainer

    imported, config = megabytes(), Config.resolve(**asked["options"])
    pictures = np.random.default_rng(0).integers(0, 256, (asked["images"], 32, 32, 3), np.uint8)
    data = Dataset("random", pictures, None, None, None, ())
    model = Model(config, data.image_shape)
    with tempfile.TemporaryDirectory() as folder, ThreadTeam(config.training.threads) as team:
        run = Run.create(Path(folder) / "run", config, model.rule.wiring())
        kept = [Metrics(run), Checkpoints(run, asked["checkpoint_every"])]
        Trainer(model, ViewStream(model, data), kept).train(team)
    return imported


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
