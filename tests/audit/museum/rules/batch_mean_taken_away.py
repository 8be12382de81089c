"""From the error of each head's unit its mean over the batch is taken away: every moment knows all others. Declared."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 0, "grade": "local over a batch"}


@kernel(updates="post", kind="gate")
def centre(post):
    post -= post.mean(axis=0, keepdims=True)


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(centre, "centred over the batch", post=self.head.post.error)
