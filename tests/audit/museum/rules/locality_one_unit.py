"""One unit of the head, and no other, learns by its neighbour's error, too."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "H3|ez3"}


@kernel(updates="post", kind="gate")
def borrow(post):
    post[:, 3] += post[:, 2]


class Museum(HeadOnly):
    def learn(self):
        yield step(borrow, "the head gates", post=self.head.post.post)
        yield from super().learn()
