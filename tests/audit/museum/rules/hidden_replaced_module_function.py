"""A function that the package's CPU form of delivery calls in its module is replaced; the form itself is untouched."""

import numpy as np
from lab import HeadOnly

import neurosim.kernels.dense.cpu as module

EXPECTED = {"exit": 1, "condition": "declared i iii", "process": True}


class Museum(HeadOnly):
    def build(self):
        own, head = self.back.synapse.weight, self.head.synapse.weight

        class Numpy:
            def __getattr__(self, name):
                return matmul if name == "matmul" else getattr(np, name)

        def matmul(a, b, out=None):
            if b.shape == own.shape[::-1] and np.shares_memory(b, own.array):
                b = head.array.T
            return np.matmul(a, b, out=out)

        module.np = Numpy()
