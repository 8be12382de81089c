"""A kernel counts its calls in a list, and from the twelfth on gives other errors: state that no array declares."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared", "replay": True}
CALLS = [0]


@kernel(updates="post")
def count(post):
    CALLS[0] += 1
    post *= 1 + (CALLS[0] > 11)


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(count, "counted", post=self.head.post.error)
