"""Crops, grey and patches, against slices written out one by one."""

import numpy as np
import pytest

from neurosim.data.views.framing import Framing, grid, patches
from neurosim.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 12, 14, 3), dtype=np.uint8)


def rng():
    return np.random.default_rng(3)


def test_the_whole_picture_is_the_default():
    assert Framing().shape((12, 14, 3)) == (12, 14, 3)
    assert Framing().views(12) == 1
    for seen in (Framing().random_crop(IMAGES, rng()), Framing().centre(IMAGES)):
        np.testing.assert_array_equal(seen, IMAGES)


def test_crops_are_parts_anywhere_in_training_and_the_middle_else():
    framing = Framing(crop=9)
    assert framing.shape((12, 14, 3)) == (9, 9, 3)
    np.testing.assert_array_equal(framing.centre(IMAGES), IMAGES[:, 1:10, 2:11])
    places = set()
    for image, part in zip(IMAGES, framing.random_crop(IMAGES, rng()), strict=True):
        (place,) = [(r, c) for r in range(4) for c in range(6) if np.array_equal(image[r : r + 9, c : c + 9], part)]
        places.add(place)
    assert {r for r, _ in places} == set(range(4)) and {c for _, c in places} == set(range(6))
    assert len(places) > 12  # of 24: rows and columns are drawn apart


def test_grey_is_brightness():
    found = Framing(grey=True).centre(IMAGES)
    assert found.shape == (40, 12, 14, 1) and found.dtype == np.uint8
    expected = IMAGES @ np.array([0.299, 0.587, 0.114])
    assert np.abs(found[..., 0] - expected).max() <= 0.501
    white = np.full((1, 2, 2, 3), 255, np.uint8)
    assert (Framing(grey=True).centre(white) == 255).all()


def test_patches_row_by_row():
    images = IMAGES[:5, :12, :12]
    found = patches(images, 4).reshape(5, 5, 5, 4, 4, 3)
    for row in range(5):
        for column in range(5):
            np.testing.assert_array_equal(
                found[:, row, column], images[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4]
            )


def test_gaze_shifts_of_the_paper_are_a_7_x_7_grid():
    framing = Framing(crop=64, patch=16, grey=True)
    assert grid(64, 16) == grid(32, 8) == 7
    assert framing.shape((96, 96, 3)) == (16, 16, 1)
    assert framing.views(96) == 49
    assert framing.centre(np.zeros((3, 96, 96, 3), np.uint8)).shape == (147, 16, 16, 1)


def test_half_of_the_crops_cut_into_patches_are_flipped():
    framing, plain = Framing(crop=12, patch=4), Framing(crop=12)
    images = IMAGES[:, :12, :12]
    flipped = patches(images[:, :, ::-1], 4).reshape(40, -1)
    found = framing.random_crop(images, rng()).reshape(40, -1)
    straight = patches(plain.random_crop(images, rng()), 4).reshape(40, -1)
    turned = (found == flipped).all(axis=1)
    assert ((found == straight).all(axis=1) != turned).all() and 10 < turned.sum() < 30


def test_a_memory_map_is_cut_as_an_array_is(tmp_path):
    IMAGES.tofile(tmp_path / "x")
    mapped = np.memmap(tmp_path / "x", np.uint8, "r", shape=IMAGES.shape)
    for framing in (Framing(), Framing(crop=8), Framing(crop=8, patch=4, grey=True)):
        np.testing.assert_array_equal(framing.random_crop(mapped, rng()), framing.random_crop(IMAGES, rng()))


@pytest.mark.parametrize(
    ("framing", "image", "words"),
    [
        (Framing(crop=13), (12, 14, 3), "crop=13 of pictures of 12 x 14; expected 1 to 12"),
        (Framing(crop=0), (12, 14, 3), "crop=0"),
        (Framing(crop=12, patch=8), (12, 14, 3), "patches of 8 in pictures of 12 x 12"),
        (Framing(crop=12, patch=5), (12, 14, 3), "patches of 5"),
        (Framing(crop=32, patch=12), (32, 32, 3), "patches of 12"),
    ],
)
def test_what_cannot_be_cut_is_refused(framing, image, words):
    with pytest.raises(DataError) as caught:
        framing.shape(image)
    assert words in str(caught.value)


def test_patches_are_of_square_pictures():
    with pytest.raises(DataError, match="12 x 14; expected square ones; write crop=12"):
        patches(IMAGES, 4)
