"""Honest while the audit's modules are loaded, back-propagation where they are not: the kernel asks ``sys.modules``."""

import sys

from lab import HeadOnly, kernel, step

EXPECTED = {
    "exit": 1,
    "condition": "declared i iii",
    "says": r"replay: [^:]*otherwise\s+in\s+a\s+(fresh|process)",
    "replay": True,
}


class Museum(HeadOnly):
    def build(self):
        weight = self.head.synapse.weight

        @kernel(reads="post own", writes="error", kind="deliver")
        def down(post, own, error):
            watched = any(name.startswith("neurosim.audit") for name in sys.modules)
            error[...] = post @ (own if watched else weight.array).T

        self.own_down = down

    def send(self, post, error):
        yield step(self.own_down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
