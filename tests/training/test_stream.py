"""The stream of views: a function of seed, epoch and batch, and of nothing else."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.data.dataset import Dataset
from neurosim.errors import DataError, WiringError


def film(count=12, frames=4):
    """Pictures of objects in motion: every frame has a brightness of its own, 10 x object + frame."""
    numbers = 10 * np.arange(count)[:, None] + np.arange(frames)
    images = np.broadcast_to(numbers[:, :, None, None, None], (count, frames, 8, 8, 3)).astype(np.uint8)
    return Dataset("film", images.copy(), None, None, None, ())


def shown(stream, epoch, batch):
    """The first pixel of every view."""
    stream.load(epoch, batch)
    return stream.stimulus.images.host()[:, 0, 0, 0].astype(int)


def test_motion_shows_two_frames_of_each_object_and_not_always_the_same_two(begin):
    stream = begin(data=film(), views="motion", batch=6).stream
    pairs = []
    for epoch in range(8):
        for batch in range(stream.batches):
            first, second = shown(stream, epoch, batch).reshape(2, -1)
            assert np.array_equal(first // 10, second // 10)  # of one object
            assert np.array_equal(first // 10, stream.order(epoch)[6 * batch : 6 * batch + 6])
            pairs += zip(first % 10, second % 10, strict=True)
    assert all(one != other for one, other in pairs)
    assert set(pairs) == {(one, other) for one in range(4) for other in range(4) if one != other}


def test_a_batch_depends_on_seed_epoch_and_batch_alone(begin):
    for options in ({}, {"crop": 6, "network": "4 hardtanh, 6 pool"}, {"data": film(), "views": "motion", "batch": 6}):
        here, there = (begin(**options).stream for _ in range(2))
        wanted = []
        for place in ((0, 0), (0, 1), (1, 0)):
            here.load(*place)
            wanted.append({name: b.host().copy() for name, b in _arrays(here).items()})
        for place, arrays in reversed(list(zip(((0, 0), (0, 1), (1, 0)), wanted, strict=True))):
            there.load(*place)
            assert all(np.array_equal(b.host(), arrays[name]) for name, b in _arrays(there).items())
        other = begin(**options, seed=1).stream
        other.load(0, 0)
        assert any(not np.array_equal(b.host(), wanted[0][name]) for name, b in _arrays(other).items())


def test_every_batch_of_every_epoch_draws_deformations_of_its_own(begin):
    stream, drawn = begin(views="deform").stream, []
    for place in ((0, 0), (0, 1), (1, 0), (1, 1)):
        stream.load(*place)
        drawn.append(stream.stimulus.parameters["theta"].host().copy())
    views = np.concatenate(drawn).reshape(4 * 14, -1)
    assert len(np.unique(views, axis=0)) == len(views)  # nor have two views of one batch the same


def _arrays(stream):
    return {"images": stream.stimulus.images, **stream.stimulus.parameters}


def test_frames_of_a_data_set_that_is_deformed_are_one_picture_each(begin):
    stream = begin(data=film()).stream
    first, second = shown(stream, 0, 0).reshape(2, -1)
    assert np.array_equal(first, second) and np.all(first % 10 == 0)


def test_pictures_that_do_not_move_are_refused_as_motion(begin):
    still = Dataset("still", film().train_images[:, 0], None, None, None, ())
    with pytest.raises(DataError, match=r"still has no frames; expected .*; write views='deform'"):
        begin(data=still, views="motion")


def test_an_epoch_is_whole_batches(begin):
    stream = begin(data=film(), views="motion", batch=5).stream
    assert stream.batches == 2
    seen = [number for batch in range(2) for number in shown(stream, 0, batch)[:5] // 10]
    assert len(set(seen)) == 10


def test_bytes_of_a_mapped_file_are_not_the_host_s(begin, tmp_path):
    np.save(tmp_path / "images.npy", film().train_images[:, 0])
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    stream = begin(data=Dataset("mapped", mapped, None, None, None, ())).stream
    assert stream.nbytes == 0 and begin(data=film()).stream.nbytes == film().train_images.nbytes


def test_still_shows_each_picture_once_as_it_is():
    asked = {"rule": "hebb", "network": "4 inhibited", "batch": 6, "threads": 1}
    experiment = ns.Experiment(data=film().train_images[:, 0], **asked)
    assert experiment.config.views.kind == "still"
    stream = experiment.stream
    assert stream.stimulus.images.shape[0] == 6
    assert np.array_equal(shown(stream, 0, 0), stream.images[stream.order(0)[:6], 0, 0, 0])
    with pytest.raises(WiringError, match="views='still' with rule='ll'"):
        ns.Experiment(data=film().train_images[:, 0], rule="ll", views="still", network="4 pool", batch=6)
