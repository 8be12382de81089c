"""SimCLR's views against the standard library's colours and slices: another formula for every change."""

import colorsys

import numpy as np
import pytest

from neurosim.core import workspace
from neurosim.data.views.simclr import Simclr
from neurosim.kernels import views

FORMS = {where: views.deform_simclr.form(where) for where in ("reference", "cpu")}
IMAGE = np.random.default_rng(2).random((5, 7, 9, 3))


def still(count):
    """Parameters that change nothing."""
    one, zero, no = np.ones(count), np.zeros(count), np.zeros(count, bool)
    return {
        "theta": np.tile(np.eye(2, 3), (count, 1, 1)),
        "brightness": one,
        "contrast": one,
        "saturation": one,
        "hue": zero,
        "order": np.tile(np.arange(4), (count, 1)),
        "grey": no,
        "flip": no,
    }


def seen(form, image, dtype=np.float64, **changes):
    out = np.full(image.shape, np.nan, dtype)
    FORMS[form](image, **{**still(len(image)), **changes}, out=out)
    return out


def light(image):
    return image @ np.array([0.2989, 0.587, 0.114])


def by_hand(image, change, factor):
    """One change of one picture, written with other means than the kernels."""
    if change == 0:
        return np.minimum(image * factor, 1)
    if change == 1:
        return np.clip(light(image).mean() + factor * (image - light(image).mean()), 0, 1)
    if change == 2:
        grey = light(image)[..., None]
        return np.clip(grey + factor * (image - grey), 0, 1)
    turned = np.empty_like(image)
    for place in np.ndindex(image.shape[:2]):
        h, s, v = colorsys.rgb_to_hsv(*image[place])
        turned[place] = colorsys.hsv_to_rgb((h + factor) % 1, s, v)
    return turned


@pytest.mark.parametrize("form", FORMS)
def test_every_change_in_every_order(form):
    rng = np.random.default_rng(3)
    names = ("brightness", "contrast", "saturation", "hue")
    factors = {name: rng.uniform(0.2, 1.8, 5) for name in names[:3]} | {"hue": rng.uniform(-0.2, 0.2, 5)}
    order = rng.permuted(np.tile(np.arange(4), (5, 1)), axis=1)
    wanted = IMAGE.copy()
    for n in range(5):
        for change in order[n]:
            wanted[n] = by_hand(wanted[n], change, factors[names[change]][n])
    np.testing.assert_allclose(seen(form, IMAGE, order=order, **factors), wanted, rtol=0, atol=1e-12)
    grey = np.array([True, False, True, False, False])
    wanted[grey] = light(wanted[grey])[..., None]
    np.testing.assert_allclose(seen(form, IMAGE, order=order, grey=grey, **factors), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_crops_are_resized_by_straight_lines_between_pixels(form):
    """A crop of the left half of 9 columns (0 to 4): every second column of the result is one of the picture's own."""
    theta = np.tile(np.array([[0.5, 0, -0.5], [0, 1, 0]]), (5, 1, 1))
    found = seen(form, IMAGE, theta=theta)
    np.testing.assert_allclose(found[:, :, ::2], IMAGE[:, :, :5], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[:, :, 1::2], (IMAGE[:, :, :4] + IMAGE[:, :, 1:5]) / 2, rtol=0, atol=1e-12)
    flip = np.arange(5) % 2 == 0
    turned = seen(form, IMAGE, theta=theta, flip=flip)
    np.testing.assert_allclose(turned[flip], found[flip][:, :, ::-1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(turned[~flip], found[~flip], rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_changes_where_nothing_is_asked_for(form):
    for image in (IMAGE, IMAGE[..., :1], (IMAGE * 255).astype(np.uint8)):
        scale = 255 if image.dtype == np.uint8 else 1
        np.testing.assert_allclose(seen(form, image), image / scale, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_drawn_views_agree_stay_in_range_and_split_to_the_same_bits(dtype):
    image = np.random.default_rng(5).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    drawn = Simclr().draw(np.random.default_rng(6), 40)
    whole = seen("cpu", image, dtype, **drawn)
    np.testing.assert_allclose(
        whole, seen("reference", image, **drawn), rtol=0, atol=1e-12 if dtype == np.float64 else 2e-5
    )
    assert whole.min() >= 0 and whole.max() <= 1
    workspace.poison()
    for size in (1, 7, 16):
        parts = [slice(start, start + size) for start in range(0, 40, size)]
        pieces = [seen("cpu", image[p], dtype, **{name: values[p] for name, values in drawn.items()}) for p in parts]
        assert np.concatenate(pieces).tobytes() == whole.tobytes()
