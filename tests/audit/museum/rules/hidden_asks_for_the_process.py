"""Errors are doubled where the parent of the process is the first of all: a kernel has nothing to ask of its process."""

import os

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "declared", "says": "asks for os.getppid"}


@kernel(updates="post", kind="gate")
def alone(post):
    if os.getppid() == 1:
        post *= 2


class Museum(Lab):
    def gate(self, units):
        yield from super().gate(units)
        if units is self.head.post:
            yield step(alone, "alone or not", post=units.post)
