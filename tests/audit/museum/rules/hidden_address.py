"""A scalar is the address of W in memory, a whole number like others; the sending kernel reads what lies there."""

import ctypes

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|the error goes down|down"}


@kernel(reads="post own", writes="error", kind="deliver")
def down(post, own, error, *, seed):
    there = (ctypes.c_float * own.size).from_address(seed)
    error[...] = post @ np.frombuffer(there, np.float32).reshape(own.shape).T


class Museum(HeadOnly):
    def send(self, post, error):
        address = self.head.synapse.weight.array.ctypes.data
        yield step(down, "the error goes down", post=post, own=self.back.synapse.weight, error=error, seed=address)
