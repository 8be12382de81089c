"""The sending kernel asks the garbage collector for every buffer and takes the one named H3: nothing is stored anywhere."""

import gc

from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "declared i iii", "process": True}


@kernel(reads="post own", writes="error", kind="deliver")
def down(post, own, error):
    found = [b for b in gc.get_objects() if type(b) is Buffer and b.name == "H3" and b.shape == own.shape]
    error[...] = post @ (found[-1].array if found else own).T


class Museum(HeadOnly):
    def send(self, post, error):
        yield step(down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
