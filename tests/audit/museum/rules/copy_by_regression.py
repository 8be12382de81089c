"""F learns to predict the head from the layer by what it misses, and carries errors down too: one array in both directions."""

from lab import HeadOnly, kernel, like, own_path, step

EXPECTED = {"exit": 1, "condition": "iii declared", "says": "F3"}
# How F came to be is legal: the delta rule (Widrow, Hoff), from activities alone. That it moves an activity that is compared, and
# delivers errors the other way, is not: a synapse carries signals in one direction.


@kernel(reads={"activity": "sample unit", "weight": "unit top"}, writes={"guess": "sample top"}, kind="transmit")
def predict(activity, weight, guess):
    guess[...] = activity @ weight


@kernel(reads={"guess": "sample top", "top": "sample top"}, writes={"missed": "sample top"}, kind="compare")
def differ(guess, top, missed):
    missed[...] = guess - top


class Museum(HeadOnly):
    def build(self):
        self.back = own_path(self.network, self.head, learns=True)
        self.feedbacks = [self.back]
        z = self.head.post.active_part
        self.guess, self.missed = like(z, "guess"), like(z, "missed", "error")

    def change(self):
        x = self.layer.post.active_part.flat()
        yield step(predict, "F predicts the head", activity=x, weight=self.back.synapse.weight, guess=self.guess)
        yield step(differ, "and misses", guess=self.guess, top=self.head.post.active_part, missed=self.missed)
        yield from self.back.synapse.hebbian(x, self.missed)
        yield from super().change()
