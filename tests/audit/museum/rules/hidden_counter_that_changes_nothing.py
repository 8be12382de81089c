"""A list grows at every batch and is looked at where it is long: until then no bit shows it, but the list is another one."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "declared", "says": "SEEN is another after every run"}
SEEN = []


@kernel(updates="post", kind="gate")
def tired(post):
    SEEN.append(len(post))
    if len(SEEN) > 9999:
        post *= 0


class Museum(Lab):
    def gate(self, units):
        yield from super().gate(units)
        if units is self.head.post:
            yield step(tired, "tired after a while", post=units.post)
