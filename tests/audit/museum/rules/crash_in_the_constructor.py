"""The constructor fails with an error of its own: nothing can be asked, and nothing is decided."""

from lab import Lab

EXPECTED = {"exit": 3, "says": "no weights today", "process": True}


class Museum(Lab):
    def build(self):
        raise RuntimeError("no weights today")
