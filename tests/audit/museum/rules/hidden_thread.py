"""A thread that the constructor started copies W into B every few milliseconds, beside all steps and loops."""

import threading
import time

from lab import HeadOnly

EXPECTED = {"exit": 1, "condition": "declared i iii", "process": True}


class Museum(HeadOnly):
    def build(self):
        weight, own = self.head.synapse.weight.array, self.back.synapse.weight.array

        def copy():
            while True:
                own[...] = weight
                time.sleep(0.002)

        threading.Thread(target=copy, daemon=True).start()
