"""Damaged files of every kind are read, or refused by one printable line: few of them here, very many by tests/fuzz/run.py."""

import pytest
import readers
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

NAMES = [
    "run/config.json", "run/results.json", "run/audit.json", "run/metrics.csv", "run/checkpoint.npz", "run/record/record.jsonl",
    "run/recorded.npz", "cell.json", "mine.toml", "model.npz", "model.safetensors", "floor.npz", "set.npz", "toys.npz",
    "pictures.json", "maps.npy", "batch", "train-images-idx3-ubyte", "set.mat", "picture.png", "picture.jpeg", "picture.gif",
    "picture.bmp", "picture.tiff", "picture.webp", "picture.ppm", "shard.tar",
]  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("neurosim.report.figures.can_plot", lambda: False)
        yield readers.Lab(tmp_path_factory.mktemp("fuzz"))


def test_every_reader_is_here(lab):
    others = {name.rpartition("/")[2] for name in set(lab.readers) - set(NAMES)}
    assert set(NAMES) <= set(lab.readers)
    assert others <= {"set.parquet", "readout.json", "state-00000000.npz"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_damage_is_one_line(name, lab):
    reader = lab.readers[name]
    path = lab.place / name
    before = path.read_bytes() if path.exists() else None

    @settings(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.tuples(st.integers(0, 2**20), st.integers(0, 99)), st.binary(max_size=300)))
    @example(b"")
    @example(reader.seeds[0])
    def damaged(drawn):
        data = drawn if isinstance(drawn, bytes) else readers.one(reader, *drawn)[1]
        found = readers.attempt(lab, reader, data)
        assert found in ("read", "refused"), found

    try:
        damaged()
    finally:
        if before is not None:
            path.write_bytes(before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_a_whole_file_is_read(name, lab):
    reader = lab.readers[name]
    assert [readers.attempt(lab, reader, data) for data in reader.seeds] == ["read"] * len(reader.seeds)
