"""The draw of deformations: ranges, spread, and the same numbers for the same seed."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pytest

from neurosim.core.kernel import Kernel, Kind
from neurosim.core.options import Option
from neurosim.core.plan import Plan
from neurosim.data import views
from neurosim.data.views.affine import Affine
from neurosim.data.views.base import Deformation
from neurosim.data.views.simclr import Simclr
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.kernels.devices import backend
from neurosim.networks.network import Network
from neurosim.parts.stimulus import Stimulus


def draw(count=4000, seed=1, **strengths):
    return Affine(**strengths).draw(np.random.default_rng([seed, 7]), count)


def test_shapes_and_types():
    drawn = draw(5)
    assert {name: (array.shape, array.dtype.name) for name, array in drawn.items()} == {
        "theta": ((5, 2, 3), "float64"),
        "saturation": ((5,), "float64"),
        "hue": ((5,), "float64"),
        "flip": ((5,), "bool"),
    }
    assert {name: len(array) for name, array in draw(0).items()} == dict.fromkeys(drawn, 0)


def test_published_ranges_are_filled_and_never_left():
    drawn = draw()
    for values, low, high in (
        (drawn["theta"][:, [0, 1], [0, 1]], 0.75, 1.25),
        (drawn["theta"][:, [0, 1], [1, 0]], -0.25, 0.25),
        (drawn["theta"][:, :, 2], -0.5, 0.5),
        (np.log2(drawn["saturation"]), -2.0, 2.0),
        (drawn["hue"], -0.1, 0.1),
    ):
        width = high - low
        assert low <= values.min() < low + 0.01 * width
        assert high - 0.01 * width < values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.03 * width)
        assert values.std() == pytest.approx(width / np.sqrt(12), rel=0.03)
    assert drawn["flip"].mean() == pytest.approx(0.5, abs=0.03)


def test_parameters_are_drawn_independently():
    drawn = draw()
    columns = np.column_stack(
        [drawn["theta"].reshape(-1, 6), np.log2(drawn["saturation"]), drawn["hue"], drawn["flip"]]
    )
    correlation = np.corrcoef(columns.T) - np.eye(9)
    assert np.abs(correlation).max() < 0.08


def test_strengths_scale_each_range_alone():
    plain = draw(50)
    strong = draw(50, scale=0.5, shift=1.0, saturation=1.0, hue=0.5, flip=1.0)
    np.testing.assert_allclose(strong["theta"][:, :, :2] - np.eye(2), 2 * (plain["theta"][:, :, :2] - np.eye(2)))
    np.testing.assert_allclose(strong["theta"][:, :, 2], 2 * plain["theta"][:, :, 2])
    np.testing.assert_allclose(strong["saturation"] ** 2, plain["saturation"])
    np.testing.assert_allclose(strong["hue"], 5 * plain["hue"])
    assert strong["flip"].all()
    assert not draw(50, flip=0.0)["flip"].any()


def test_same_seed_same_draw_and_other_seed_another():
    for name, array in draw(20).items():
        np.testing.assert_array_equal(array, draw(20)[name])
    assert not np.array_equal(draw(20)["theta"], draw(20, seed=2)["theta"])


def test_two_draws_in_a_row_are_one_long_draw():
    rng = np.random.default_rng([1, 7])
    first, second = Affine().draw(rng, 8), Affine().draw(rng, 12)
    for name, array in draw(20).items():
        np.testing.assert_array_equal(np.concatenate([first[name], second[name]]), array)


def test_only_a_share_of_the_views_changes_its_geometry():
    """As the authors' code does; colour and flip are drawn for all."""
    drawn = draw(deform_share=0.5)
    still = (drawn["theta"] == np.eye(2, 3)).all(axis=(1, 2))
    assert 0.47 < still.mean() < 0.53 and (drawn["saturation"][still] != 1).all()
    assert 0.45 < drawn["flip"][still].mean() < 0.55 and 0.45 < drawn["flip"][~still].mean() < 0.55
    assert abs(np.corrcoef(still, drawn["hue"])[0, 1]) < 0.05
    assert (draw(deform_share=0.0)["theta"] == np.eye(2, 3)).all()
    rng = np.random.default_rng([1, 7])
    parts = [Affine(deform_share=0.5).draw(rng, n)["theta"] for n in (8, 12)]
    np.testing.assert_array_equal(np.concatenate(parts), draw(20, deform_share=0.5)["theta"])


@pytest.mark.parametrize("border", [False, True])
def test_identity_draw_leaves_the_image(border):
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (6, 7, 5, 3), dtype=np.uint8)
    out = np.empty(image.shape, np.float32)
    still = Affine(scale=0.0, shift=0.0, saturation=0.0, hue=0.0, flip=0.0, border=border)
    Affine.kernel.form("cpu")(image, **still.draw(rng, 6), out=out, **still.scalars)
    np.testing.assert_allclose(out, image / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", -0.1),
        ("shift", np.nan),
        ("saturation", np.inf),
        ("hue", -1),
        ("flip", 1.5),
        ("flip", -0.1),
        ("deform_share", 1.1),
    ],
)
def test_impossible_strengths_are_refused(name, value):
    with pytest.raises(WiringError, match=f"^{name}=.*; expected a number of at least 0.*; write {name}="):
        Affine(**{name: value})


def simclr(count=4000, seed=1, **strengths):
    return Simclr(**strengths).draw(np.random.default_rng([seed, 7]), count)


def test_simclr_s_ranges_and_probabilities():
    """Random resized crop (0.08 to 1 of the area, 3/4 to 4/3), flip, jitter 0.8, 0.8, 0.8, 0.2 with 0.8, grey with 0.2."""
    drawn = simclr()
    width, height = drawn["theta"][:, 0, 0], drawn["theta"][:, 1, 1]
    area, ratio = width * height, width / height
    assert 0.08 <= area.min() < 0.09 and 0.97 < area.max() <= 1
    assert 0.75 <= ratio.min() < 0.76 and 1.32 < ratio.max() <= 4 / 3 + 1e-12
    assert np.abs(np.log(ratio).mean()) < 0.02 and 0.45 < area.mean() < 0.55
    assert not drawn["theta"][:, 0, 1].any() and not drawn["theta"][:, 1, 0].any()
    for side, shift in ((width, drawn["theta"][:, 0, 2]), (height, drawn["theta"][:, 1, 2])):
        assert (np.abs(shift) + side <= 1 + 1e-12).all() and (np.abs(shift) + side > 0.99).any()
    still = (drawn["brightness"] == 1) & (drawn["contrast"] == 1) & (drawn["saturation"] == 1) & (drawn["hue"] == 0)
    assert still.mean() == pytest.approx(0.2, abs=0.03)
    for name in ("brightness", "contrast", "saturation"):
        values = drawn[name][~still]
        assert 0.2 <= values.min() < 0.22 and 1.78 < values.max() <= 1.8
    assert -0.2 <= drawn["hue"].min() < -0.198 and 0.198 < drawn["hue"].max() <= 0.2
    assert drawn["grey"].mean() == pytest.approx(0.2, abs=0.03) and drawn["flip"].mean() == pytest.approx(0.5, abs=0.03)
    orders, counts = np.unique(drawn["order"], axis=0, return_counts=True)
    assert len(orders) == 24 and (np.sort(orders, axis=1) == range(4)).all() and counts.min() > 100


def test_simclr_draws_view_after_view():
    rng = np.random.default_rng([1, 7])
    first, second = Simclr().draw(rng, 8), Simclr().draw(rng, 12)
    for name, array in simclr(20).items():
        np.testing.assert_array_equal(np.concatenate([first[name], second[name]]), array)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("area", 0),
        ("area", 1.1),
        ("ratio", 0.5),
        ("jitter", -1),
        ("hue", 0.6),
        ("greyed", 2),
        ("jittered", np.nan),
        ("flip", -1),
    ],
)
def test_impossible_simclr_strengths_are_refused(name, value):
    with pytest.raises(WiringError, match=f"^{name}=.*; expected a number of at least"):
        Simclr(**{name: value})


darken = Kernel(
    "darken",
    kind=Kind.SEE,
    reads={"image": "sample row column channel: uint8 real", "shade": "sample 2: float64"},
    writes={"out": "sample row column channel"},
    over="sample",
    equation="out = shade[0] shade[1] image",
)


@darken.reference
@darken.cpu
def darkened(image, shade, out):
    np.copyto(out, image / (255 if image.dtype == np.uint8 else 1) * shade.prod(axis=1)[:, None, None, None])


@dataclass(frozen=True)
class Darken(Deformation):
    """Views are darkened: a deformation with its kernel in one file."""

    strength: Annotated[float, Option("How dark.", low=0, high=1)] = 0.5

    name = "darken"
    kernel = darken

    def draw(self, rng, count):
        return {"shade": 1 - self.strength * rng.random((count, 2))}


def test_a_deformation_with_a_kernel_of_its_own_is_shown():
    network = Network("4 pool", (4, 4, 3), 2)
    stimulus = Stimulus(network.populations[0], gain=1.0, offset=0.0, deformation=views.make(Darken, strength=0.25))
    images = np.random.default_rng(1).integers(0, 256, (4, 4, 4, 3), dtype=np.uint8)
    stimulus.load(images)
    stimulus.draw(np.random.default_rng(2))
    seen = network.populations[0].activity
    with ThreadTeam(1) as team:
        Program(Plan("show", stimulus.present(), [seen]), backend("cpu"), hold=True).run(team)
    shade = 1 - 0.25 * np.random.default_rng(2).random((4, 2))
    np.testing.assert_allclose(seen.host(), images / 255 * shade.prod(axis=1)[:, None, None, None], rtol=1e-6)
    with pytest.raises(WiringError, match="strength=2"):
        views.make(Darken, strength=2)


@dataclass(frozen=True)
class Mirrored(Affine):
    """Every second view is reversed."""

    name = "mirrored"

    def draw(self, rng, count):
        return super().draw(rng, count) | {"flip": np.arange(count) % 2 == 0}


def test_deformations_are_found_by_name_and_may_be_one_s_own():
    assert {"affine", "simclr"} <= set(views.available()) and views.make("simclr", area=0.5) == Simclr(area=0.5)
    for thing in (Mirrored, Mirrored(hue=0.0)):
        assert views.make(thing).draw(np.random.default_rng(0), 4)["flip"].tolist() == [True, False] * 2
    with pytest.raises(WiringError, match=r"unknown deformation 'cut'; expected one of affine, .*simclr"):
        views.make("cut")
    with pytest.raises(WiringError, match="deformation simclr has no option shift"):
        views.make("simclr", shift=0.5)
