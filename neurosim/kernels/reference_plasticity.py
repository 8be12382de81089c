"""The specification of plasticity and of the short-term memory, one synapse and one trace at a time, in float64.

Symbols: w weight, c change (the sum of outer products, the derivative of the error), eta the rate, lambda the decay,
mu the momentum.
"""

import numpy as np


def sgd(change, weight, rate, *, decay):
    """``w -= eta (c + lambda w)``; change and weight ``(synapse,)``, rate ``(1,)``."""
    for s in range(len(weight)):
        weight[s] -= rate[0] * (change[s] + decay * weight[s])


def momentum(change, weight, trace, rate, *, momentum, decay):
    """``m = mu m + c``, ``w -= eta (m + lambda w)``; all ``(synapse,)``, rate ``(1,)``."""
    for s in range(len(weight)):
        trace[s] = momentum * trace[s] + change[s]
        weight[s] -= rate[0] * (trace[s] + decay * weight[s])


def signum(change, weight, trace, rate, *, bound, momentum, decay):
    """``m = mu m + c``, ``w -= eta (b sign(m) + lambda w)``: no division, sign(0) = 0; all ``(synapse,)``.

    ``b`` is the bound of the initial weights, so that one rate suits arrays of any fan-in.
    Source: Bernstein et al. 2018, signSGD with momentum.
    """
    for s in range(len(weight)):
        trace[s] = momentum * trace[s] + change[s]
        weight[s] -= rate[0] * (bound * np.sign(trace[s]) + decay * weight[s])


def tick(count):
    """``t = t + 1``: how many changes a synapse array has had, int64 ``(1,)``."""
    count[0] += 1


def adam(change, weight, trace, square, count, rate, *, beta1, beta2, epsilon, decay):
    """``m = b1 m + (1 - b1) c``, ``v = b2 v + (1 - b2) c^2``, ``w -= eta (m' / (sqrt(v') + epsilon) + lambda w)``.

    ``m' = m / (1 - b1^t)``, ``v' = v / (1 - b2^t)``, t = count. It divides: not plausible. All ``(synapse,)``.
    Source: Kingma and Ba 2015; decay apart from the gradient as Loshchilov and Hutter 2019.
    """
    t = int(count[0])
    for s in range(len(weight)):
        trace[s] = beta1 * trace[s] + (1 - beta1) * change[s]
        square[s] = beta2 * square[s] + (1 - beta2) * change[s] ** 2
        mean, power = trace[s] / (1 - beta1**t), square[s] / (1 - beta2**t)
        weight[s] -= rate[0] * (mean / (np.sqrt(power) + epsilon) + decay * weight[s])


def send_sign(weight, sent, *, scale):
    """``S = scale sign(B)``, both ``(synapse,)``: what the sign rule sends down."""
    for s in range(len(weight)):
        sent[s] = scale * np.sign(weight[s])


def push(activity, trace, cursor):
    """Store a batch of postsynaptic activities in the ring; the oldest are overwritten.

    Args:
        activity: ``(N, D)``, in the order of the stream.
        trace: ``(capacity, D)``, the ring.
        cursor: int64 ``(1,)``, how many were ever stored; the next goes to row ``cursor modulo capacity``.
    """
    for row in activity:
        trace[cursor[0] % len(trace)] = row
        cursor[0] += 1
