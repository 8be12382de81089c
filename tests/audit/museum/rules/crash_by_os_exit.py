"""Between batches the process is ended by os._exit(0), which no handler sees."""

import os

from lab import HeadOnly

EXPECTED = {"exit": 3, "process": True}


class Museum(HeadOnly):
    def draw(self, epoch, batch):
        print("verdict: No violation found", flush=True)
        os._exit(0)
