"""What the tests of the read-outs share."""

import pytest

from neurosim.execute import Workers


@pytest.fixture
def worker():
    with Workers(1) as one:
        yield one
