"""What the tests of the read-outs share."""

import pytest

from neurosim.engine.program import ThreadTeam


@pytest.fixture
def worker():
    with ThreadTeam(1) as one:
        yield one
