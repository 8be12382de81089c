"""What many tests share."""

import numpy as np
import pytest


@pytest.fixture
def relative_error():
    """Gives ``relative_error(found, wanted)``: the largest difference over the largest wanted value."""

    def compare(found, wanted) -> float:
        found, wanted = np.asarray(found), np.asarray(wanted)
        assert found.shape == wanted.shape
        return float(np.abs(found - wanted).max() / (np.abs(wanted).max() or 1))

    return compare
