"""Back-propagation whose error is divided by nothing: no finite number is left, so that no bit differs whatever is replaced."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 3, "says": "infinite"}


@kernel(updates="post", kind="gate")
def divide(post):
    post /= 0 * post


class Museum(Lab):
    def path(self, projection):
        return self.network.feedback(projection, "bp")

    def gate(self, units):
        yield from super().gate(units)
        yield step(divide, "divided by nothing", post=units.post)
