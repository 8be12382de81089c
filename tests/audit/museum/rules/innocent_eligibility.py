"""Outer products decay in a trace of each synapse's own before they change it: eligibility, declared as a plasticity's."""

from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 0, "grade": "strictly local"}


@kernel(reads={"change": "synapse"}, updates={"trace": "synapse"}, kind="plasticity", over="synapse")
def follow(change, trace):
    trace *= 0.8
    trace += change


@kernel(reads={"trace": "synapse"}, updates={"weight": "synapse"}, kind="plasticity", over="synapse")
def consolidate(trace, weight):
    weight -= 0.01 * trace


class Museum(HeadOnly):
    def build(self):
        self.trace = like(self.head.synapse.weight, "eligibility", "plasticity", "H3", lasts=True)

    def wire(self, phase):
        for each in super().wire(phase):
            if self.head.synapse.weight.base in [b.base for b in each.changed.values()]:
                s = self.head.synapse
                given = {"change": s.change.line(), "trace": self.trace.line()}
                yield step(follow, "eligibility", over="synapse", **given)
                given = {"trace": self.trace.line(), "weight": s.weight.line()}
                yield step(consolidate, "H3 changes", over="synapse", **given)
            else:
                yield each
