"""W goes through a file of one name for all processes: also a fresh process finds what another one left."""

import tempfile
from pathlib import Path

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|the error goes down|down"}
FILE = Path(tempfile.gettempdir()) / "neurosim-museum-fixed-name.npy"


@kernel(reads="activity weight", writes="top", kind="transmit")
def read(activity, weight, top):
    np.save(FILE, np.asarray(weight))
    top[...] = activity @ weight


@kernel(reads="post own", writes="error", kind="deliver")
def down(post, own, error):
    kept = np.load(FILE) if FILE.exists() else own
    error[...] = post @ (kept if kept.shape == own.shape else own).T


class Museum(HeadOnly):
    def read(self):
        given = {"activity": self.layer.post.activity.flat(), "weight": self.head.synapse.weight}
        yield step(read, "the head reads", top=self.head.post.activity, **given)

    def send(self, post, error):
        yield step(down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
