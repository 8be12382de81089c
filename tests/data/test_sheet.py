"""A sheet of examples: where each picture stands."""

import numpy as np
import pytest

from neurosim.data.sheet import contact_sheet
from neurosim.data.toys import toys
from neurosim.errors import DataError


def test_contact_sheet_has_a_row_for_each_kind():
    images, labels = toys.render(40, seed=13)
    sheet = contact_sheet(images, labels, toys.KINDS, per_class=4)
    assert sheet.mode == "RGB" and sheet.height == 4 + 10 * 100
    first = np.flatnonzero(labels == 0)[0]
    left = sheet.width - 4 * 100
    np.testing.assert_array_equal(np.asarray(sheet)[4:100:3, left : left + 96 : 3], images[first])
    films, kinds = toys.render(20, seed=13, frames=2)
    film = contact_sheet(films, kinds, toys.KINDS, per_class=2)
    left = film.width - 2 * 196
    first = np.flatnonzero(kinds == 0)[0]
    np.testing.assert_array_equal(np.asarray(film)[4:100:3, left + 96 : left + 192 : 3], films[first, 1])


def test_contact_sheet_without_labels_and_with_wrong_images():
    images, _ = toys.render(25, seed=14)
    sheet = np.asarray(contact_sheet(images, None, toys.KINDS, per_class=10))
    np.testing.assert_array_equal(sheet[104:200:3, 4:100:3], images[10])
    with pytest.raises(DataError, match="expected uint8"):
        contact_sheet(images / 255, None, toys.KINDS)


def test_other_channels_have_a_hue_each():
    images = np.zeros((2, 1, 3, 5), np.uint8)
    for place, channel in enumerate((0, 2, 4)):
        images[0, 0, place, channel] = 255
    sheet = np.asarray(contact_sheet(images, None, ("",), per_class=2))
    shown = sheet[5, 5:12:3]
    assert len(np.unique(shown, axis=0)) == 3 and shown.max(axis=1).tolist() == [255] * 3
    assert not sheet[5, 5 + 13 : 12 + 13].any(), "where no channel is strong it is dark"
