"""Views of vectors: both forms agree, shares and widths are as asked, numbers of places and views are independent."""

import numpy as np
import pytest
from forms import Forms

from neurosim.core.step import Step
from neurosim.data import views
from neurosim.data.views.corrupt import MIDDLE, Corrupt, corrupt
from neurosim.networks.network import Network
from neurosim.parts.stimulus import Stimulus


def keys(count, seed=1):
    return Corrupt().draw(np.random.default_rng(seed), count)["key"]


class TestForms(Forms):
    @staticmethod
    def cases():
        rng = np.random.default_rng(2)
        for shape in ((5, 1, 1, 7), (4, 3, 2, 3)):
            image, out = rng.integers(0, 256, shape).astype(np.uint8), np.ones(shape)
            for masked, spread in ((0.3, 0.1), (0.0, 0.5), (1.0, 0.0)):
                arguments = {"image": image, "key": keys(len(image)), "out": out, "masked": masked, "spread": spread}
                yield corrupt, arguments, ["out"]


def shown(image, masked, spread, seed=1):
    out = np.empty(image.shape, np.float64)
    corrupt.form("cpu")(image, key=keys(len(image), seed), out=out, masked=masked, spread=spread)
    return out


def test_shares_and_widths():
    image = np.full((300, 1, 1, 400), 0.25)
    out = shown(image, 0.3, 0.1)
    hidden = out == MIDDLE
    assert hidden.mean() == pytest.approx(0.3, abs=0.01)
    noise = (out - image)[~hidden]
    assert -0.1 <= noise.min() < -0.099 and 0.099 < noise.max() <= 0.1
    assert noise.mean() == pytest.approx(0, abs=1e-3) and noise.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.02)


def test_views_and_places_are_independent():
    hidden = shown(np.zeros((500, 1, 1, 40)), 0.5, 0.0).reshape(500, 40) == MIDDLE
    among = np.corrcoef(hidden.T)[np.triu_indices(40, 1)]
    assert abs(among).max() < 5 / np.sqrt(500) and abs(among).mean() < 1.2 / np.sqrt(500)
    noise = shown(np.zeros((500, 1, 1, 2)), 0.0, 1.0).reshape(500, 2)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 5 / np.sqrt(500)
    assert not np.array_equal(shown(np.zeros((5, 1, 1, 9)), 0.5, 0.1, 1), shown(np.zeros((5, 1, 1, 9)), 0.5, 0.1, 2))


def test_it_is_shown_by_a_stimulus_under_its_name():
    network = Network("4 1x1 hardtanh", (1, 1, 6), 3)
    stimulus = Stimulus(network.populations[0], views.make("corrupt", masked=0.25))
    assert views.make("corrupt", masked=0.25) == Corrupt(masked=0.25)
    first: Step = next(stimulus.present())
    assert first.kernel is corrupt and dict(first.scalars) == {"masked": 0.25, "spread": 0.1}
