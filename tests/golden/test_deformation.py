"""Deformations against the numerical cases: affine, colour, flip, with zeros and with the border outside."""

import json

import numpy as np
import pytest

from neurosim.kernels.views import deform

FORMS = {where: deform.form(where) for where in ("reference", "cpu")}


def padding_of(case, meta):
    """The padding that a case's name begins with, one of those that the file's meta names."""
    (padding,) = (name for name in meta["padding"] if case.startswith(name))
    return padding


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-4)])
@pytest.mark.parametrize("form", FORMS)
def test_deformation_matches_the_cases(golden, form, dtype, tolerance):
    arrays = golden("deformation")
    meta = json.loads(str(arrays["meta"]))
    assert meta["align_corners"] and meta["interpolation"] == "bilinear", "the kernel knows this convention only"
    cases = list(dict.fromkeys(key.split("/")[0] for key in arrays if "/" in key))
    assert len(cases) >= len(meta["padding"]) > 0
    for case in cases:
        given = {key.split("/")[1]: value for key, value in arrays.items() if key.startswith(f"{case}/")}
        image = np.ascontiguousarray(np.moveaxis(given["image"], 1, 3))
        expected = np.moveaxis(given["result"], 1, 3)
        out = np.full(expected.shape, np.nan, dtype)
        FORMS[form](
            image=image,
            theta=given["theta"],
            saturation=given["saturation_factor"],
            hue=given["hue_shift"],
            flip=given["flip"],
            out=out,
            border=padding_of(case, meta) == "border",
        )
        error = np.abs(out - expected).max() / np.abs(expected).max()
        assert error < tolerance, f"{case}: relative error {error:.2e}"
