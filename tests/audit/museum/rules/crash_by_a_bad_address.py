"""A kernel reads address zero: the process dies by a signal."""

import ctypes

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 3, "process": True}


@kernel(updates="post")
def fall(post):
    ctypes.string_at(0)


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(fall, "fallen", post=self.head.post.error)
