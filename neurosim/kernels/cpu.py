"""The kernels of the CPU, one name each, as the executor looks them up."""

from neurosim.kernels.cpu_convolution import convolve, deliver_convolution, hebbian_convolution
from neurosim.kernels.cpu_local import convolve_local, deliver_local, hebbian_local
from neurosim.kernels.cpu_losses import barlow, hinge_all, hinge_lags, hinge_mean, nt_xent, positive
from neurosim.kernels.cpu_plasticity import adam, momentum, push, send_sign, sgd, signum, tick
from neurosim.kernels.cpu_units import (
    activate,
    deliver_dense,
    dense,
    gate,
    gate_pooled,
    hebbian_dense,
    pool,
    present,
)
from neurosim.kernels.deformation import deform

__all__ = [
    "activate", "adam", "barlow", "convolve", "convolve_local", "deform", "deliver_convolution", "deliver_dense",
    "deliver_local", "dense", "gate", "gate_pooled", "hebbian_convolution", "hebbian_dense", "hebbian_local",
    "hinge_all", "hinge_lags", "hinge_mean", "momentum", "nt_xent", "pool", "positive", "present", "push",
    "send_sign", "sgd", "signum", "tick",
]  # fmt: skip
