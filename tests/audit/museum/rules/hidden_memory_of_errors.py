"""The error is averaged with that of the last call, which a global keeps: a trace that no array declares."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared"}
LAST = {}


@kernel(updates="post")
def average(post):
    now = post.copy()
    if "e" in LAST and LAST["e"].shape == now.shape:
        post += 0.5 * LAST["e"]
    LAST["e"] = now


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(average, "smoothed", post=self.head.post.error)
