"""A kernel never comes back: after the time that was allowed nothing is decided."""

import time

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 3, "process": True, "options": ["--timeout", "5"]}


@kernel(updates="post")
def wait(post):
    while True:
        time.sleep(0.1)


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(wait, "waiting", post=self.head.post.error)
