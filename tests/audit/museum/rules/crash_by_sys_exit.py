"""A kernel calls sys.exit(0), which would end a program with the code of success."""

import sys

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 3, "process": True}


@kernel(updates="post")
def leave(post):
    sys.exit(0)


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(leave, "gone", post=self.head.post.error)
