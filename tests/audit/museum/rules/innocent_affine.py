"""The activity of the layer is stretched and shifted by constants before the head reads it; the error is stretched alike."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 0, "grade": "strictly local"}


@kernel(updates={"activity": "sample ..."}, kind="respond", over="sample")
def affine(activity):
    activity *= 1.5
    activity += 0.25


@kernel(updates={"error": "sample ..."}, kind="gate", over="sample")
def stretch(error):
    error *= 1.5


class Museum(HeadOnly):
    def wire(self, phase):
        done = False
        for each in super().wire(phase):
            if each.kernel.name == "dense" and not done:
                yield step(affine, "stretched and shifted", activity=self.layer.post.activity)
                done = True
            yield each
            if each.kernel.name == "deliver_dense":
                yield step(stretch, "stretched", error=self.layer.post.error)
