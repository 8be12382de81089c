"""Small models and streams."""

import pytest

from neurosim.training.config import Config
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream, load_data
from neurosim.training.trainer import Trainer

NETWORK = "4 hardtanh, 6 pool, 5 tanh pool"


@pytest.fixture
def begin(archive):
    """Gives ``begin(callbacks, **options)``: a trainer that has not begun, of a small network on forty pictures."""

    def begin(callbacks=(), data=None, **options):
        given = {"data": str(archive), "network": NETWORK, "batch": 7, "epochs": 2, "lags": 3, "rate": 0.02, **options}
        config = Config.resolve(**given)
        data = load_data(config) if data is None else data
        model = Model(config, data.image_shape)
        return Trainer(model, ViewStream(model, data), callbacks)

    return begin
