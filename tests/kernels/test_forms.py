"""The forms of the kernels of every topic, by one test body; kernels of other parts have their cases in the part's test."""

import inspect
from pathlib import Path

import numpy as np
from forms import Forms, declared_kernels, kernels_with_cases

from neurosim.core.tuning import CPU

RNG = np.random.default_rng(7)
N, R, C, IN, OUT = 3, 4, 6, 2, 5
KERNELS = declared_kernels()


def normal(*shape):
    return RNG.normal(size=shape) * 0.8


def cases():
    """(kernel, arguments, names of the arrays that it changes)."""
    x, w = normal(N, R, C, IN), normal(3, 3, IN, OUT)
    plain, pooled = (N, R, C, OUT), (N, 4, R // 2, C // 2, OUT)
    small = (N, R // 2, C // 2, OUT)
    for shape in (plain, pooled):
        yield "convolve", {"presynaptic": x, "weight": w, "potential": np.full(shape, np.nan)}, ["potential"]
        yield "hebbian_convolution", {"pre": x, "post": normal(*shape), "change": normal(3, 3, IN, OUT)}, ["change"]
        for wide in (1, 4):  # gathers, then scatters
            post = normal(*shape[:-1], OUT * wide)
            weight = normal(3, 3, IN, OUT * wide)
            yield "deliver_convolution", {"post": post, "weight": weight, "error": np.full_like(x, np.nan)}, ["error"]
    for shape in (plain, pooled):  # more channels than an image has
        wide, weight = normal(N, R, C, 6), normal(3, 3, 6, OUT)
        yield "convolve", {"presynaptic": wide, "weight": weight, "potential": np.full(shape, np.nan)}, ["potential"]
        yield "hebbian_convolution", {"pre": wide, "post": normal(*shape), "change": weight.copy()}, ["change"]
    yield (
        "deliver_convolution",
        {"post": normal(*plain), "weight": normal(3, 3, 4, OUT), "error": np.full((N, R, C, 4), np.nan)},
        ["error"],
    )
    yield from tiled_cases()
    yield from field_cases()
    untied = normal(R, C, 3, 3, IN, OUT)
    for shape, height in ((plain, 1), (pooled, 2)):
        yield "convolve_local", {"presynaptic": x, "weight": untied, "potential": np.full(shape, np.nan)}, ["potential"]
        post, axis = normal(*shape), len(shape) - 3
        yield "deliver_local", {"post": post, "weight": untied, "error": np.full_like(x, np.nan)}, ["error"]
        for rows in (np.arange(R // height), np.array([1])):
            change = np.full((len(rows), height, C, 3, 3, IN, OUT), np.nan)
            some = np.take(post, rows, axis)
            yield "hebbian_local", {"pre": x, "post": some, "index": rows, "change": change}, ["change"]
    for shape in (plain, pooled, (N, OUT)):
        yield "inhibit", {"potential": normal(*shape)}, ["potential"]
        yield "inhibit_factor", {"post": normal(*shape)}, ["post"]
    for phi in ("hardtanh", "tanh", "linear", "rectified", "inhibited", "saturating"):
        activity = np.clip(normal(*plain), -1, 1)
        yield "activate", {"potential": normal(*plain), "activity": normal(*plain), "nonlinearity": phi}, ["activity"]
        yield (
            "gate",
            {"activity": activity, "error": normal(*plain), "post": normal(*plain), "nonlinearity": phi},
            ["post"],
        )
        ties = np.round(normal(*pooled) * 2) / 2
        yield (
            "pool",
            {"potential": ties, "activity": normal(*small), "nonlinearity": phi, "winner": np.full(small, 9, np.uint8)},
            ["activity", "winner"],
        )
        yield "pool", {"potential": ties, "activity": normal(*small), "nonlinearity": phi, "winner": None}, ["activity"]
        yield "pool_mean", {"potential": ties, "activity": normal(*small), "nonlinearity": phi}, ["activity"]
        given = {"potential": ties, "error": normal(*small), "post": normal(*pooled), "nonlinearity": phi}
        yield "gate_mean", given, ["post"]
        yield (
            "gate_pooled",
            {
                "activity": np.clip(normal(*small), -0.9, 0.9),
                "error": normal(*small),
                "winner": RNG.integers(0, 5, small).astype(np.uint8),
                "post": normal(*pooled),
                "nonlinearity": phi,
            },
            ["post"],
        )
    yield "average", {"activity": normal(*plain), "mean": normal(*small)}, ["mean"]
    yield "spread", {"mean": normal(*small), "error": normal(*plain)}, ["error"]
    a, b, z, e = normal(N, 7), normal(7, OUT), normal(N, OUT), normal(N, OUT)
    yield "dense", {"presynaptic": a, "weight": b, "potential": z.copy()}, ["potential"]
    yield "hebbian_dense", {"pre": a, "post": e, "change": normal(7, OUT)}, ["change"]
    yield "deliver_dense", {"post": e, "weight": b, "error": normal(N, 7)}, ["error"]
    many = CPU.few_samples + 1  # which come down by another product
    yield "deliver_dense", {"post": normal(many, OUT), "weight": b, "error": normal(many, 7)}, ["error"]
    picture = RNG.integers(0, 256, (N, R, C, IN)).astype(np.uint8)
    yield "present", {"image": picture, "activity": normal(N, R, C, IN), "gain": 2.0, "offset": -1.0}, ["activity"]
    yield "present", {"image": picture / 255, "activity": normal(N, R, C, IN), "gain": 1.0, "offset": 0.0}, ["activity"]
    for channels in (3, 1):
        order = RNG.permuted(np.tile(np.arange(4), (N, 1)), axis=1)
        theta = np.array([[[0.5, 0, 0.3], [0, 0.8, -0.1]]] * N)
        factors = {name: RNG.uniform(0.2, 1.8, N) for name in ("brightness", "contrast", "saturation")}
        yield (
            "deform_simclr",
            {
                "image": RNG.random((N, R, C, channels)),
                "theta": theta,
                **factors,
                "hue": RNG.uniform(-0.2, 0.2, N),
                "order": order,
                "grey": np.arange(N) == 1,
                "flip": np.arange(N) == 2,
                "out": normal(N, R, C, channels),
            },
            ["out"],
        )
    yield from plasticity_cases()
    yield from loss_cases()
    yield from patch_cases()
    yield from inverse_cases()


def field_cases():
    """Convolutions with fields of other sizes, odd and even, larger than the map too."""
    for side, channels in ((1, 2), (4, 2), (5, 6), (9, 3)):
        x, w = normal(N, R, C, channels), normal(side, side, channels, OUT)
        for shape in ((N, R, C, OUT), (N, 4, R // 2, C // 2, OUT)):
            yield "convolve", {"presynaptic": x, "weight": w, "potential": np.full(shape, np.nan)}, ["potential"]
            yield "hebbian_convolution", {"pre": x, "post": normal(*shape), "change": w.copy()}, ["change"]
            for wide in (1, 8):  # gathers, then scatters
                post, weight = normal(*shape[:-1], OUT * wide), normal(side, side, channels, OUT * wide)
                error = np.full_like(x, np.nan)
                yield "deliver_convolution", {"post": post, "weight": weight, "error": error}, ["error"]
    x, w = normal(N, R, C, 3), normal(5, 5, 3, 2)  # few channels at both ends
    yield "convolve", {"presynaptic": x, "weight": w, "potential": np.full((N, R, C, 2), np.nan)}, ["potential"]


def tiled_cases():
    """Convolutions of sizes that are computed in tiles."""
    x, w = normal(2, 4, 8, 17), normal(3, 3, 17, 18)
    for shape in ((2, 4, 8, 18), (2, 4, 2, 4, 18)):
        yield "convolve", {"presynaptic": x, "weight": w, "potential": np.full(shape, np.nan)}, ["potential"]
        yield "hebbian_convolution", {"pre": x, "post": normal(*shape), "change": normal(3, 3, 17, 18)}, ["change"]
        yield "deliver_convolution", {"post": normal(*shape), "weight": w, "error": np.full_like(x, np.nan)}, ["error"]


def patch_cases():
    """Two pictures of 4 x 4 patches, two random ones against each that lies ahead."""
    grid, count, units, places = 4, 2, 3, 2
    negative = RNG.integers(0, count * grid**2, sum(count * (grid - k - 2) * 2 * grid for k in range(grid - 2)))
    view, shape = normal(count * grid**2, places, units), (grid - 2, count, grid, places, units)
    shared = {"negative": negative, "grid": grid, "negatives": 2}
    yield (
        "gaze",
        {
            **shared,
            "view": normal(count * grid**2, units),
            "error": normal(count * grid**2, units),
            "value": np.zeros(3),
            "margin_positive": 1.0,
            "margin_negative": 3.0,
        },
        ["error", "value"],
    )
    yield (
        "predict",
        {"view": view, "weight": normal(grid - 2, units, units), "prediction": normal(*shape), "grid": grid},
        ["prediction"],
    )
    yield (
        "clapp",
        {
            **shared,
            "view": view,
            "prediction": normal(*shape),
            "error": np.full_like(view, np.nan),
            "factor": normal(*shape),
            "value": np.zeros(3),
        },
        ["error", "factor", "value"],
    )
    yield (
        "deliver_prediction",
        {"factor": normal(*shape), "weight": normal(grid - 2, units, units), "error": view.copy(), "grid": grid},
        ["error"],
    )
    yield (
        "hebbian_prediction",
        {"view": view, "factor": normal(*shape), "change": normal(grid - 2, units, units), "grid": grid},
        ["change"],
    )


def plasticity_cases():
    def state():
        return {"change": normal(11), "weight": normal(11), "rate": np.array([0.03])}

    yield "sgd", {**state(), "decay": 0.1}, ["weight"]
    for name, more in (("momentum", {}), ("signum", {"bound": 0.2})):
        yield name, {**state(), "trace": normal(11), "momentum": 0.9, "decay": 0.1, **more}, ["weight", "trace"]
    extra = {"trace": normal(11), "square": normal(11) ** 2, "count": np.array([3])}
    yield (
        "adam",
        {**state(), **extra, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "decay": 0.1},
        ["weight", "trace", "square"],
    )
    yield "send_sign", {"weight": normal(11), "sent": normal(11), "scale": 0.5}, ["sent"]
    yield "tick", {"count": np.array([3])}, ["count"]
    for capacity in (4, 9):
        yield (
            "push",
            {"activity": normal(6, 5), "trace": normal(capacity, 5), "cursor": np.array([13])},
            ["trace", "cursor"],
        )


def loss_cases():
    def views(n=6):
        z1 = normal(n, 4) * 0.6
        return {"view1": z1, "view2": z1 + 0.5 * normal(n, 4), "error2": normal(n, 4), "value": np.zeros(3)}

    margins = {"margin_positive": 1.0, "margin_negative": 3.0}
    both = ["error1", "error2", "value"]
    for error1 in (None, normal(6, 4)):
        changed = both if error1 is not None else ["error2", "value"]
        yield "hinge_all", {**views(), "index": np.arange(6), "error1": error1, **margins}, changed
        for pushed in (6, 8, 40):
            memory = {
                "trace": normal(10, 4),
                "cursor": np.array([pushed]),
                "pairs": 6,
                "lags": 4,
                "negative_weight": 0.25,
            }
            some = {k: v for k, v in views().items() if k != "view1"}
            yield "hinge_lags", {**some, **memory, "index": np.arange(6), "error1": error1, **margins}, changed
    for name, more in (
        ("hinge_mean", margins),
        ("positive", {}),
        ("nt_xent", {"temperature": 0.3, "scale": 2.0}),
        ("barlow", {"off_diagonal": 0.004, "scale": 0.03, "epsilon": 1e-5}),
    ):
        yield name, {**views(), "error1": normal(6, 4), **more}, both
        yield name, {**views(), "error1": None, **more}, ["error2", "value"]


def inverse_cases():
    one, weight = np.ones(1), normal(1, OUT)
    for shape in ((N, OUT), (N, R, C, OUT), (N, 4, R, C, OUT)):
        yield "add_bias", {"presynaptic": one, "weight": weight, "potential": normal(*shape)}, ["potential"]
        yield "hebbian_bias", {"pre": one, "post": normal(*shape), "change": normal(1, OUT)}, ["change"]
        a, b, c, d = (normal(*shape) for _ in range(4))
        yield "add_noise", {"activity": a, "noise": b, "noisy": c, "sigma": 0.3}, ["noisy"]
        yield (
            "local_loss",
            {"activity": a, "target": b, "error": c, "value": np.ones(1), "scale": 0.1},
            ["error", "value"],
        )
        yield "set_target", {"activity": a, "error": b, "target": c, "step": 0.3}, ["target"]
        yield "propagate_target", {"activity": a, "restored": b, "restored_target": c, "target": d}, ["target"]
    for rows, columns in ((R, C), (1, 1), (1, 2), (3, 1)):
        x, w, above = normal(N, rows, columns, OUT), normal(3, 3, OUT, IN), (N, 2 * rows, 2 * columns, IN)
        yield "upconvolve", {"presynaptic": x, "weight": w, "potential": np.full(above, np.nan)}, ["potential"]
        yield "hebbian_upconvolution", {"pre": x, "post": normal(*above), "change": normal(3, 3, OUT, IN)}, ["change"]


class TestForms(Forms):
    @staticmethod
    def cases():
        for name, arguments, changed in cases():
            yield KERNELS[name], arguments, changed


def test_every_kernel_is_tested_and_says_what_it_does():
    """A form for a GPU may be missing: then a GPU refuses the kernel by name."""
    assert kernels_with_cases(Path(__file__).parent.parent) | {"deform"} >= set(KERNELS)
    for kernel in KERNELS.values():
        assert kernel.has("reference") and kernel.has("cpu"), kernel
        assert kernel.kind and kernel.equation, kernel
        assert inspect.getdoc(kernel.form("reference")), kernel
