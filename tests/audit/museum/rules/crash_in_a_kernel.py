"""A kernel fails at its fourth call: what was asked until then is no answer."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 3, "says": "tired|disturb", "process": True}
CALLS = [0]


@kernel(updates="post")
def disturb(post):
    CALLS[0] += 1
    if CALLS[0] > 3:
        raise RuntimeError("tired")


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(disturb, "disturbed", post=self.head.post.error)
