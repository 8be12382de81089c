"""Labels of the toys, put before the head at every batch in an array that says it is figures."""

import numpy as np
from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer
from neurosim.data.sources.loading import default_dir, load

EXPECTED = {"exit": 1, "condition": "iv declared", "says": "label|teacher|figures"}


@kernel(reads="figures", updates="post")
def teach(figures, post):
    post[np.arange(len(figures)), figures % post.shape[1]] -= 1


class Museum(HeadOnly):
    def build(self):
        self.all = load("toys", default_dir()).train_labels
        sizes = ("moment",), (self.network.pairs,)
        self.figures_ = Buffer("figures", *sizes, "value", "error units 3", np.int64, given=True)

    def compare(self):
        yield from super().compare()
        yield step(teach, "the teacher", figures=self.figures_, post=self.head.post.error)

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        order = np.random.default_rng([self.network.seed, ord("O"), epoch]).permutation(len(self.all))
        pairs = self.network.pairs
        self.figures_.put(self.all[order[batch * pairs : (batch + 1) * pairs]])
