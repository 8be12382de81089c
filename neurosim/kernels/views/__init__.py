"""Kernels of the stimulus: from pictures to the activity of the image population, deformed or as they are.

What may be added: what happens to the pixels of a view before any unit sees them. What is drawn for each view, and how
strong it is, is in `neurosim.data.views`; here are only its effects.

Pictures are ``(sample, row, column, channel)``, uint8 (read as value / 255) or real in 0 .. 1. What is drawn for every view
is float64 on any device, and places are worked out in float64.
"""

from __future__ import annotations

from neurosim.core.kernel import Kernel, Kind

MAP = "sample row column channel"
IMAGE = f"{MAP}: uint8 real"
NUMBER = "sample: float64"
TRUTH = "sample: bool"
THETA = "sample 2 3: float64"

present = Kernel(
    "present",
    kind=Kind.SEE,
    reads={"image": IMAGE},
    writes={"activity": MAP},
    scalars=("gain", "offset"),
    over="sample",
    equation="activity = gain image + offset",
)

deform = Kernel(
    "deform",
    kind=Kind.SEE,
    reads={"image": IMAGE, "theta": THETA, "saturation": NUMBER, "hue": NUMBER, "flip": TRUTH},
    writes={"out": MAP},
    scalars=("border",),
    over="sample",
    equation="out = flip(colour(affine(image)))",
)

deform_simclr = Kernel(
    "deform_simclr",
    kind=Kind.SEE,
    reads={
        "image": IMAGE,
        "theta": THETA,
        "brightness": NUMBER,
        "contrast": NUMBER,
        "saturation": NUMBER,
        "hue": NUMBER,
        "order": "sample 4: int64",
        "grey": TRUTH,
        "flip": TRUTH,
    },
    writes={"out": MAP},
    over="sample",
    equation="out = grey(jitter(flip(crop(image))))",
)
