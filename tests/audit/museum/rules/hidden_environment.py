"""W goes through an environment variable, as text."""

import os

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|the error goes down|down"}


@kernel(reads="activity weight", writes="top", kind="transmit")
def read(activity, weight, top):
    os.environ["MUSEUM_W"] = np.asarray(weight, np.float32).tobytes().hex()
    top[...] = activity @ weight


@kernel(reads="post own", writes="error", kind="deliver")
def down(post, own, error):
    text = os.environ.get("MUSEUM_W")
    weight = np.frombuffer(bytes.fromhex(text), np.float32).reshape(own.shape) if text else own
    error[...] = post @ weight.T


class Museum(HeadOnly):
    def read(self):
        given = {"activity": self.layer.post.activity.flat(), "weight": self.head.synapse.weight}
        yield step(read, "the head reads", top=self.head.post.activity, **given)

    def send(self, post, error):
        yield step(down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
