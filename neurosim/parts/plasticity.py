"""Plasticity: how a synapse turns the outer products of a batch into a lasting change. Elementwise, per synapse."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.errors import WiringError

EQUATIONS = {
    "sgd": "w -= rate (c + decay w)",
    "momentum": "m = mu m + c; w -= rate (m + decay w)",
    "signum": "m = mu m + c; w -= rate (bound sign(m) + decay w)",
    "adam": "m, v = traces of c, c^2; w -= rate (m' / (sqrt(v') + eps) + decay w)",
}
STATES = {"sgd": (), "momentum": ("trace",), "signum": ("trace",), "adam": ("trace", "square")}

# Synapses a block: few are not handed out to threads, and calls are long enough for threads not to wait for each other. 2 million
# synapses, adam and signum, ms on two threads (Xeon): 11.7 and 7.9 at 2^14, 6.7 and 4.9 at 2^15, 4.4 and 2.4 at 2^17.
ROWS = 1 << 17


class Plasticity:
    """One plasticity for many synapses, each with traces of its own; c is the summed outer product.

    Parameters:
        ========= ==== ======================================= ========
        name      unit math                                    default
        ========= ==== ======================================= ========
        rate      1    eta, shared, set by the schedule        0.001
        momentum  1    mu, of the trace m = mu m + c           0.9
        decay     1    lambda, pulls weights to zero           0
        ========= ==== ======================================= ========

    ``sgd``, ``momentum`` and ``signum`` use no division; ``adam`` divides and is not plausible. The rate of
    ``signum`` counts in bounds of the initial weights, 1/sqrt(fan in), so that one rate suits every array.

    Raises:
        WiringError: an unknown kind, or a number outside its range.
    """

    def __init__(self, kind: str = "signum", rate: float = 1e-3, momentum: float = 0.9, decay: float = 0.0,
                 name: str = "rate"):  # fmt: skip
        if kind not in EQUATIONS:
            raise WiringError(f"unknown plasticity {kind!r}", "one of " + ", ".join(EQUATIONS), "write --plasticity signum")
        for word, value, low, high in (("rate", rate, 0, np.inf), ("momentum", momentum, 0, 1), ("decay", decay, 0, np.inf)):
            if not low <= value < high:
                raise WiringError(f"{word} {value}", f"at least {low} and below {high}", f"change --{word}")
        self.kind, self.momentum, self.decay, self.base_rate = kind, momentum, decay, rate
        self.rate = Buffer(name, ("one",), (1,), "rate", "plasticity", np.float64, initial=rate)

    def state(self, name: str, shape: tuple[int, ...], axes: tuple[str, ...], dtype) -> dict[str, Buffer]:
        """The traces that one synapse array needs: argument name -> buffer of the weights' shape."""
        state = {
            trace: Buffer(f"{trace} {name}", axes, shape, "plasticity", name, dtype) for trace in STATES[self.kind]
        }
        if self.kind == "adam":
            state["count"] = Buffer(f"count {name}", ("one",), (1,), "plasticity", name, np.int64)
        return state

    def consolidate(self, name, weight: Buffer, change: Buffer, state: dict[str, Buffer], bound: float) -> Iterator[Step]:
        """The step that changes one weight array by its own summed outer products and its own traces."""
        scalars = {"decay": self.decay}
        reads = {"change": change.line(), "rate": self.rate}
        if self.kind == "adam":
            scalars |= {"beta1": self.momentum, "beta2": 0.999, "epsilon": 1e-8}
            yield Step("tick", f"{name} counts its changes", "t = t + 1", {}, updates={"count": state["count"]})
            reads["count"] = state["count"]
        elif self.kind != "sgd":
            scalars["momentum"] = self.momentum
        if self.kind == "signum":
            scalars["bound"] = bound
        updates = {"weight": weight.line(), **{k: b.line() for k, b in state.items() if k != "count"}}
        equation = EQUATIONS[self.kind].replace("w ", f"{name} ").replace(" w)", f" {name})")
        yield Step(self.kind, f"{name} changes", equation, reads, updates=updates, scalars=scalars, over="synapse",
                   rows=ROWS)  # fmt: skip
