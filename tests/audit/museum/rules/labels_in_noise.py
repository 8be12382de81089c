"""What is declared as noise, drawn between batches, is the label of each picture, one unit up."""

import numpy as np
from lab import HeadOnly, kernel, like, step

from neurosim.data.sources.loading import default_dir, load

EXPECTED = {"exit": 1, "condition": "iv declared", "says": "label|noise"}


@kernel(reads="noise", updates="post")
def disturb(noise, post):
    post -= noise


class Museum(HeadOnly):
    def build(self):
        self.all = load("toys", default_dir()).train_labels
        self.noise = like(self.head.post.error, "hiss", "noise", "head 3", given=True)

    def compare(self):
        yield from super().compare()
        yield step(disturb, "noise", noise=self.noise, post=self.head.post.error)

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        order = np.random.default_rng([self.network.seed, ord("O"), epoch]).permutation(len(self.all))
        pairs, units = self.network.pairs, self.network.head_units
        labels = self.all[order[batch * pairs : (batch + 1) * pairs]]
        self.noise.put(np.eye(units, dtype=np.float32)[labels % units])
