"""The kernels of the CPU, one name each, as the executor looks them up."""

from neurosim.kernels.cpu_convolution import convolve, deliver_convolution, hebbian_convolution
from neurosim.kernels.cpu_inverse import (
    add_bias,
    add_noise,
    aim,
    correct_target,
    hebbian_bias,
    hebbian_upconvolution,
    mismatch,
    upconvolve,
)
from neurosim.kernels.cpu_local import convolve_local, deliver_local, hebbian_local
from neurosim.kernels.cpu_losses import barlow, hinge_all, hinge_lags, hinge_mean, nt_xent, positive
from neurosim.kernels.cpu_patches import clapp, deliver_prediction, gaze, hebbian_prediction, predict
from neurosim.kernels.cpu_plasticity import adam, momentum, push, send_sign, sgd, signum, tick
from neurosim.kernels.cpu_units import (
    activate,
    average,
    deliver_dense,
    dense,
    gate,
    gate_pooled,
    hebbian_dense,
    pool,
    present,
    spread,
)
from neurosim.kernels.deformation import deform
from neurosim.kernels.jitter import deform_simclr

__all__ = [
    "activate", "adam", "add_bias", "add_noise", "aim", "average", "barlow", "clapp", "convolve", "convolve_local",
    "correct_target", "deform", "deform_simclr", "deliver_convolution", "deliver_dense", "deliver_local",
    "deliver_prediction", "dense", "gate", "gate_pooled", "gaze", "hebbian_bias", "hebbian_convolution",
    "hebbian_dense", "hebbian_local", "hebbian_prediction", "hebbian_upconvolution", "hinge_all", "hinge_lags",
    "hinge_mean", "mismatch", "momentum", "nt_xent", "pool", "positive", "predict", "present", "push", "send_sign",
    "sgd", "signum", "spread", "tick", "upconvolve",
]  # fmt: skip
