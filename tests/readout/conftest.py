"""What the tests of the read-outs share."""

import pytest

from neurosim.engine.threads import ThreadTeam


@pytest.fixture
def worker():
    with ThreadTeam(1) as one:
        yield one
