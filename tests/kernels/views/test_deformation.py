"""The deformation kernel against the naive one, on ordinary and on extreme images and parameters."""

import colorsys
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from neurosim.core import tuning, workspace
from neurosim.kernels import views

FORMS = {where: views.deform.form(where) for where in ("reference", "cpu")}
TOLERANCE = {np.float64: 1e-12, np.float32: 2e-5}
form_and_type = [(form, dtype) for form in FORMS for dtype in TOLERANCE]


def parameters(rng, count, strength=1.0):
    theta = np.eye(2, 3) + strength * rng.uniform(-0.5, 0.5, (count, 2, 3))
    return {
        "theta": theta,
        "saturation": 2.0 ** rng.uniform(-2, 2, count),
        "hue": strength * rng.uniform(-0.5, 0.5, count),
        "flip": rng.random(count) < 0.5,
    }


def identity(count):
    theta = np.tile(np.eye(2, 3), (count, 1, 1))
    return {"theta": theta, "saturation": np.ones(count), "hue": np.zeros(count), "flip": np.zeros(count, bool)}


def deformed(form, image, drawn, dtype=np.float64, border=False):
    out = np.full(image.shape, np.nan, dtype)
    FORMS[form](image, **drawn, out=out, border=border)
    return out


def test_forms_take_the_same_arguments():
    signatures = [list(inspect.signature(form).parameters.values()) for form in FORMS.values()]
    assert signatures[0] == signatures[1]


@pytest.mark.parametrize("border", [False, True])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(3, 8, 8, 3), (2, 5, 11, 3), (4, 6, 3, 1), (2, 1, 7, 3), (2, 7, 1, 3), (1, 2, 2, 4)])
def test_cpu_matches_reference(shape, dtype, border):
    rng = np.random.default_rng([11, *shape])
    drawn = parameters(rng, shape[0])
    for image in (rng.random(shape), rng.integers(0, 256, shape, dtype=np.uint8)):
        expected = deformed("reference", image, drawn, border=border)
        found = deformed("cpu", image, drawn, dtype, border)
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("border", [False, True])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_far_away_and_whole_turns(dtype, border):
    rng = np.random.default_rng(12)
    image = rng.random((6, 5, 6, 3))
    drawn = parameters(rng, 6, strength=20.0)
    drawn["theta"][0, :, 2] = 1e6
    drawn["theta"][1, :, 2] = -1e6
    drawn["hue"][2:4] = 3.0, -7.25
    drawn["saturation"][3:] = -1.0, 0.0, 1e6
    expected = deformed("reference", image, drawn, border=border)
    tolerance = 20 * TOLERANCE[dtype]  # places a hundred pixels away are that much coarser
    np.testing.assert_allclose(deformed("cpu", image, drawn, dtype, border), expected, rtol=0, atol=tolerance)
    if not border:
        assert not expected[:2].any()


def edge_colours():
    """Every mixture of 0, a half and 1, with black, white, greys, primaries and ties, and nearly grey ones."""
    levels = np.array([0.0, 0.5, 1.0])
    mixtures = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    nearly = np.array([[0.5, 0.5, 0.5 + 1e-7], [1e-30, 0, 0], [1, 1, 1 - 1e-7], [5e-324, 0, 5e-324], [0.2, 0.2, 0.2]])
    return np.concatenate([mixtures, nearly])


@pytest.mark.parametrize(("form", "dtype"), form_and_type)
def test_edge_colours_match_colorsys(form, dtype):
    colours = edge_colours()
    for saturation in (0.0, 0.25, 1.0, 4.0):
        for hue in (0.0, 1 / 6, -1 / 3, 0.1, 0.5, -0.9, 1.0):
            drawn = identity(1) | {"saturation": np.array([saturation]), "hue": np.array([hue])}
            found = deformed(form, colours[None, None], drawn, dtype)[0, 0]
            hsv = [colorsys.rgb_to_hsv(*colour) for colour in colours]
            expected = [colorsys.hsv_to_rgb((h + hue) % 1, min(s * saturation, 1), v) for h, s, v in hsv]
            np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize(("form", "dtype"), form_and_type)
def test_black_and_greys_stay_as_they_are(form, dtype):
    levels = np.linspace(0, 1, 11).astype(dtype)
    image = np.repeat(levels[None, None, :, None], 3, axis=3)
    drawn = identity(1) | {"saturation": np.array([4.0]), "hue": np.array([0.3])}
    found = deformed(form, image, drawn, dtype)
    np.testing.assert_array_equal(found[..., 0], found[..., 1])
    np.testing.assert_array_equal(found[..., 0], found[..., 2])
    np.testing.assert_allclose(found, image, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize(("form", "dtype"), form_and_type)
def test_results_stay_between_0_and_1(form, dtype):
    rng = np.random.default_rng(13)
    image = rng.choice(np.array([0, 1, 254, 255], np.uint8), (8, 9, 9, 3))
    found = deformed(form, image, parameters(rng, 8), dtype)
    assert found.min() >= 0
    assert found.max() <= 1 + 4 * np.finfo(dtype).eps


@pytest.mark.parametrize(("form", "dtype"), form_and_type)
def test_known_maps(form, dtype):
    image = np.random.default_rng(14).integers(0, 256, (4, 3, 5, 3), dtype=np.uint8)
    drawn = identity(4)
    drawn["flip"][1] = True
    drawn["theta"][2, 0, 2] = 0.5  # a quarter of the width, 1 of the 4 steps between 5 columns
    drawn["theta"][3] = [[0, 0, 0], [0, 1, 0]]  # the middle column everywhere
    found = deformed(form, image, drawn, dtype)
    plain = image / 255
    for sample, expected in enumerate(
        (
            plain[0],
            plain[1, :, ::-1],
            np.concatenate([plain[2, :, 1:], np.zeros((3, 1, 3))], axis=1),
            np.repeat(plain[3, :, 2:3], 5, axis=1),
        )
    ):
        np.testing.assert_allclose(found[sample], expected, rtol=0, atol=1e-6)


def test_image_of_bytes_is_that_of_fractions():
    rng = np.random.default_rng(15)
    image, drawn = rng.integers(0, 256, (3, 6, 6, 3), dtype=np.uint8), parameters(rng, 3)
    for form in FORMS:
        np.testing.assert_array_equal(deformed(form, image, drawn), deformed(form, image / 255, drawn))


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_any_split_gives_the_same_bits(dtype, monkeypatch):
    rng = np.random.default_rng(16)
    image, drawn = rng.integers(0, 256, (23, 9, 7, 3), dtype=np.uint8), parameters(rng, 23)
    whole = deformed("cpu", image, drawn, dtype)
    for pixels in (1, 200, 10**6):
        monkeypatch.setattr(tuning.CPU, "deformed_pixels", pixels)
        for size in (1, 4, 7, 23):
            parts = [slice(start, start + size) for start in range(0, 23, size)]
            pieces = [
                deformed("cpu", image[part], {name: array[part] for name, array in drawn.items()}, dtype)
                for part in parts
            ]
            assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_nothing_left_in_scratch_reaches_the_result_and_inputs_are_kept():
    rng = np.random.default_rng(17)
    image, drawn = rng.random((5, 6, 8, 3)), parameters(rng, 5)
    kept = [array.copy() for array in (image, *drawn.values())]
    first = deformed("cpu", image, drawn)
    workspace.poison()
    assert deformed("cpu", image, drawn).tobytes() == first.tobytes()
    for before, after in zip(kept, (image, *drawn.values()), strict=True):
        np.testing.assert_array_equal(before, after)


def test_views_of_larger_arrays_and_no_samples():
    rng = np.random.default_rng(18)
    large, drawn = rng.random((6, 8, 10, 3)), parameters(rng, 3)
    image, out = large[::2, 1:7, ::-2], np.zeros((3, 7, 5, 3))[:, :6]
    FORMS["cpu"](image, **drawn, out=out, border=False)
    np.testing.assert_array_equal(out, deformed("cpu", np.ascontiguousarray(image), drawn))
    assert deformed("cpu", image[:0], {name: array[:0] for name, array in drawn.items()}).shape == (0, 6, 5, 3)


def test_threads_do_not_share_scratch():
    rng = np.random.default_rng(19)
    image, drawn = rng.random((64, 16, 16, 3)), parameters(rng, 64)
    expected = deformed("cpu", image, drawn, np.float32)
    out = np.empty_like(expected)
    together = threading.Barrier(4)

    def work(worker):
        together.wait(timeout=60)
        for start in range(worker * 4, 64, 16):
            part = slice(start, start + 4)
            one = {name: array[part] for name, array in drawn.items()}
            FORMS["cpu"](image[part], **one, out=out[part], border=False)
        return workspace.thread_local("deform.planes", (1,), np.uint8).__array_interface__["data"][0]

    with ThreadPoolExecutor(4) as pool:
        addresses = list(pool.map(work, range(4)))
    assert len(set(addresses)) == 4
    assert out.tobytes() == expected.tobytes()


def test_scratch_grows_and_is_reused():
    small = workspace.thread_local("test.scratch", (3, 4), np.float32)
    large = workspace.thread_local("test.scratch", (100,), np.float64)
    again = workspace.thread_local("test.scratch", (3, 4), np.float32)
    assert small.shape == again.shape == (3, 4) and again.dtype == np.float32 and large.dtype == np.float64
    assert np.shares_memory(large, again) and not np.shares_memory(small, again)
    assert not np.shares_memory(large, workspace.thread_local("test.other", (100,), np.float64))
    assert workspace.thread_local("test.scratch", (0, 5), np.float64).shape == (0, 5)
    workspace.poison()
    assert np.isnan(large).all() and np.isnan(again).all()


@pytest.mark.parametrize("border", [False, True])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(3, 8, 8, 3), (2, 5, 11, 3), (4, 6, 3, 1), (2, 1, 7, 3), (2, 7, 1, 3), (1, 2, 2, 4)])
def test_the_gpus_form_matches_the_reference(gpu_form, shape, dtype, border):
    rng = np.random.default_rng([11, *shape])
    far = parameters(rng, shape[0], strength=20.0)
    far["theta"][0, :, 2] = -1e6
    far["hue"][-1], far["saturation"][-1] = -7.25, -1.0
    for drawn in (parameters(rng, shape[0]), far):
        for image in (rng.random(shape), rng.integers(0, 256, shape, dtype=np.uint8)):
            out = np.full(shape, np.nan, dtype)
            gpu_form(views.deform, {"image": image, **drawn, "out": out, "border": border})
            expected = deformed("reference", image, drawn, border=border)
            np.testing.assert_allclose(out, expected, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_the_gpus_edge_colours_match_the_reference(gpu_form, dtype):
    colours = edge_colours()[None, None]
    for saturation in (0.0, 0.25, 1.0, 4.0):
        for hue in (0.0, 1 / 6, -1 / 3, 0.5, -0.9, 1.0):
            drawn = identity(1) | {"saturation": np.array([saturation]), "hue": np.array([hue])}
            out = np.full(colours.shape, np.nan, dtype)
            gpu_form(views.deform, {"image": colours, **drawn, "out": out, "border": False})
            np.testing.assert_allclose(out, deformed("reference", colours, drawn), rtol=0, atol=TOLERANCE[dtype])
