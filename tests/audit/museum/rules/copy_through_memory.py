"""W is written to an array called a memory, and the memory into B, a batch later. Three arrays, one copy."""

from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3.*F3"}


@kernel(reads="activity", writes="trace")
def store(activity, trace):
    trace[...] = activity


@kernel(reads="trace", writes="sent")
def recall(trace, sent):
    sent[...] = trace


class Museum(HeadOnly):
    def build(self):
        self.memory = like(self.head.synapse.weight, "M", "memory", "short-term memory", lasts=True)

    def send(self, post, error):
        yield step(recall, "recall", trace=self.memory, sent=self.back.synapse.weight)
        yield from self.back.deliver()
        yield step(store, "store", activity=self.head.synapse.weight, trace=self.memory)
