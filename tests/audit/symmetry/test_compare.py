"""A feedback array that was made from its forward array is found, whatever was done to it; independent ones pass."""

import doctest

import numpy as np
import pytest

from neurosim.audit.symmetry import compare as place
from neurosim.audit.symmetry.chance import different
from neurosim.audit.symmetry.compare import arrangements, compare
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.rules import make

SHAPES = {"head": (40, 7), "square head": (12, 12), "convolution": (3, 3, 4, 6), "square convolution": (3, 3, 5, 5)}


def draw(shape, seed=0, dtype=np.float32):
    return np.random.default_rng([5, seed]).uniform(-0.3, 0.3, shape).astype(dtype)


def rotated(w):
    matrix = w.reshape(-1, w.shape[-1])
    turn = np.linalg.qr(np.random.default_rng(9).normal(size=(len(matrix), len(matrix))))[0]
    return (turn @ matrix).reshape(w.shape)


MADE = {
    "copy": lambda w: w.copy(),
    "scaled copy": lambda w: 0.03 * w,
    "sign copy": lambda w: np.sign(w) * np.abs(draw(w.shape, 1)),
    "opposite sign copy": lambda w: -np.sign(w) * np.abs(draw(w.shape, 1)),
    "permuted": lambda w: np.random.default_rng(3).permutation(w.ravel()).reshape(w.shape),
    "partial copy": lambda w: np.where(np.arange(w.size).reshape(w.shape) < 12, w, draw(w.shape, 2)),
    "correlated": lambda w: w + draw(w.shape, 3),
    "magnitude copy": lambda w: w * np.sign(draw(w.shape, 4)) + 1e-3 * draw(w.shape, 5),
    "rotated": rotated,
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("how", MADE)
def test_what_was_made_from_the_forward_array_is_found(shape, how):
    forward = draw(shape)
    found = compare(MADE[how](forward), forward)
    assert (found.verdict, found.how) == ("violated", how.removeprefix("opposite ")), found
    assert not found.shared


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("scale", [1, -2.5])
def test_a_transpose_is_found_at_any_scale(shape, scale):
    forward = draw(shape)
    found = compare(scale * forward.swapaxes(-1, -2).copy(), forward)
    assert (found.verdict, found.how) == ("violated", "transpose" if scale == 1 else "scaled copy")
    assert found.arrangement.startswith("transposed")


@pytest.mark.parametrize("turn", [(2, False), (1, False), (0, True), (3, True)])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("change", ["copy", "sign copy", "scaled copy"])
def test_kernels_turned_and_mirrored_are_found(turn, swapped, change):
    forward = draw((3, 3, 4, 6))
    times, mirrored = turn
    turned = np.rot90(forward[:, ::-1] if mirrored else forward, times)
    found = compare(MADE[change](turned.swapaxes(2, 3) if swapped else turned), forward)
    assert found.verdict == "violated"
    assert found.how == ("transpose" if swapped and change == "copy" else change)
    if change == "copy":
        assert ("mirrored" in found.arrangement) == mirrored
        assert ("transposed" in found.arrangement) == swapped


def test_the_inverse_of_a_head_is_found():
    forward = draw((40, 7), dtype=float)
    assert compare(np.linalg.pinv(forward).T * 3, forward).how == "inverse"
    assert compare(np.linalg.pinv(forward), forward).how == "inverse"


def test_shared_memory_is_reported():
    forward = draw((40, 7))
    found = compare(forward.T, forward)
    assert found.shared
    assert (found.verdict, found.how) == ("violated", "transpose")
    assert compare(forward, forward).angle == pytest.approx(0, abs=0.1)


def test_memory_that_overlaps_is_a_violation_even_where_numbers_differ():
    both = draw((41, 7))
    found = compare(both[1:], both[:-1])
    assert found.shared
    assert found.verdict == "violated"


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_independent_arrays_raise_no_alarm(shape):
    for seed in range(40):
        for gain in (1, 0.1):
            found = compare(gain * draw(shape, 2 * seed + 100), draw(shape, 2 * seed + 101))
            assert (found.verdict, found.how) == ("independent", "none"), found
            mean, deviation = found.chance_angle
            assert abs(found.angle - mean) < 6 * deviation + 1e-9
            assert abs(found.correlation) < 6 / np.sqrt(np.prod(shape))


def test_signs_of_an_independent_array_raise_no_alarm():
    """The sign rule sends two values only: their counts may well agree with those of another array."""
    for seed in range(20):
        sent = 0.1 * np.sign(draw((30, 8), seed + 50))
        assert compare(sent, draw((30, 8), seed)).verdict == "independent"
        assert compare(sent, 0.1 * np.sign(draw((30, 8), seed))).verdict == "independent"


def smooth(seed, share=0.0):
    """A kernel whose nine taps say the same number, but for a share of noise: 15 numbers in 135."""
    noise = draw((3, 3, 3, 5), seed + 1)
    return np.broadcast_to(draw((1, 1, 3, 5), seed), (3, 3, 3, 5)) + share * noise


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_taps_that_repeat_a_number_are_no_further_evidence(share):
    """Sizes that are alike in 15 numbers are so by chance now and then; with numbers of its own in every tap they are not."""
    signs = np.sign(draw((1, 1, 3, 5), 7))
    forward = smooth(0, share)
    feedback = signs * (np.abs(forward) + 0.5 * np.abs(smooth(3, share)))
    assert compare(feedback, forward).verdict == "independent"
    forward = draw((3, 3, 3, 5))
    feedback = np.sign(draw((3, 3, 3, 5), 7)) * (np.abs(forward) + 0.1 * np.abs(draw((3, 3, 3, 5), 3)))
    assert compare(feedback, forward).how == "magnitude copy"


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("channels", "how"), [((3, 3), "none"), ((3, 4), "none"), ((3, 5), "sign copy")])
def test_signs_of_few_numbers_that_many_taps_repeat_agree_by_chance(sign, channels, how):
    """Of 9 or 12 numbers, one pair in 256 or 2048; of 15, one in 16,000, and that is believed."""
    forward, other = (np.broadcast_to(draw((1, 1, *channels), seed), (3, 3, *channels)) for seed in (0, 3))
    assert compare(sign * np.sign(forward) * np.abs(other), forward).how == how
    assert compare(sign * forward, forward).verdict == "violated"  # every digit of it is no chance


def test_the_share_of_different_numbers():
    def share(a, b, channels=3):
        return different(*(np.moveaxis(x, -1, 0).reshape(x.shape[-1], -1) for x in (a, b)), channels)

    white = draw((3, 3, 3, 5)), draw((3, 3, 3, 5), 1)
    assert share(*white) == 1
    assert share(smooth(0), smooth(3)) == pytest.approx(1 / 9)
    assert share(smooth(0, 0.1), smooth(3, 0.1)) < 0.25
    assert share(smooth(0), white[0]) == 1  # one that is not smooth is enough
    repeated = [np.repeat(x[..., :1], 5, axis=-1) for x in white]
    assert share(*repeated) == pytest.approx(0.2)


def test_too_few_numbers_decide_nothing_but_a_copy():
    forward = draw((3, 3))
    assert compare(draw((3, 3), 1), forward).verdict == "undecided"
    assert compare(forward.T.copy(), forward).how == "transpose"


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_constant_array_decides_nothing(value):
    found = compare(np.full((20, 5), value), draw((20, 5)))
    assert found.verdict == "undecided"
    assert found.how == "none"


def test_sizes_that_differ_are_compared_by_spectrum_alone():
    found = compare(draw((10, 8)), draw((12, 8), 1))
    assert found.angle is None
    assert found.verdict == "independent"
    assert found.spectrum > 0


def test_an_array_laid_out_otherwise_is_found():
    forward = draw((3, 3, 4, 6))
    assert compare(forward.reshape(36, 6).copy(), forward).how == "copy"
    assert arrangements(forward, (36, 6)).keys() == {"reshaped", "transposed reshaped"}


def test_after_training_nearness_is_learned_and_a_copy_still_a_copy():
    forward = draw((40, 7))
    near = compare(forward + 0.3 * draw((40, 7), 1), forward, trained=True)
    assert (near.verdict, near.how) == ("learned", "none")
    assert near.angle < 30
    assert compare(draw((40, 7), 2), forward, trained=True).verdict == "independent"
    assert compare(2 * forward, forward, trained=True).how == "scaled copy"


def test_the_same_question_gives_the_same_answer():
    assert compare(draw((40, 7)), draw((40, 7), 1)) == compare(draw((40, 7)), draw((40, 7), 1))


def test_it_is_reported_in_a_line():
    line = str(compare(draw((40, 7)).T * 2, draw((40, 7))))
    assert line.startswith("violated (scaled copy, transposed): no angle (shapes differ) (chance ")
    assert "\n" not in line
    assert str(compare(draw((40, 7), 1), draw((40, 7)))).startswith("independent: ")


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [("bp", "violated"), ("rf", "independent"), ("urf", "independent"), ("sign", "independent"), ("ll", "independent")],
)
def test_our_rules_start_as_they_claim(rule, verdict):
    for seed in range(5):
        network = Network("6 hardtanh, 6 pool", (4, 4, 3), 2, seed=seed, head_units=8)
        built = make(rule, network, make_loss("hinge"))
        for feedback in built.feedbacks:
            found = compare(feedback.synapse.weight.array, feedback.projection.synapse.weight.array)
            assert found.verdict == verdict, found


def test_the_example_holds():
    assert doctest.testmod(place).failed == 0
