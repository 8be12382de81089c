"""The package's own kernel that delivers errors is given another CPU form, which sends the head's weights instead."""

from lab import HeadOnly

from neurosim.kernels.dense import deliver_dense

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "deliver_dense|H3", "process": True}


class Museum(HeadOnly):
    def build(self):
        own, head = self.back.synapse.weight, self.head.synapse.weight

        def form(post, weight, error):
            start = (weight.ctypes.data - own.array.ctypes.data) // own.array.strides[0]
            error[...] = post @ head.array[start : start + len(weight)].T

        deliver_dense.has("cpu")
        deliver_dense._forms["cpu"] = form
