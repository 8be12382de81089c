"""The one reader: any damage is one line; what a file declares is compared with what it is before memory is spent."""

import gzip
import io
import json
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest

from neurosim.core import memory, reading
from neurosim.core.reading import File, opened
from neurosim.core.records import check, parsed
from neurosim.errors import DataError, NeurosimError, RunError, visible

ARRAYS = {"a": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.array(["x", "yy"]), "c": np.zeros((0, 3))}


def refused(call, *words):
    with pytest.raises(NeurosimError) as error:
        call()
    text = str(error.value)
    assert all(word in text for word in words), text
    assert text.isprintable() and text.count("; ") >= 2
    return text


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, **ARRAYS)
    return path


def same(found, wanted):
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype.newbyteorder("=")


def test_archives_come_back_as_they_were(tmp_path, archive):
    same(File(archive).npz(), ARRAYS)
    np.savez_compressed(archive, **ARRAYS)
    same(File(archive).npz(), ARRAYS)
    awkward = {
        "f": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big": np.arange(5, dtype=">i4"),
        "one": np.float64(3),
    }
    np.savez(archive, **awkward)
    same(File(archive).npz(), {name: np.asarray(array) for name, array in awkward.items()})

    class Pipe(io.BytesIO):  # what cannot go back writes sizes behind each member
        def seekable(self):
            return False

        def tell(self):
            raise OSError

    stream = Pipe()
    with zipfile.ZipFile(stream, "w") as out:
        for name, array in ARRAYS.items():
            part = io.BytesIO()
            np.save(part, array)
            out.writestr(f"{name}.npy", part.getvalue())
    archive.write_bytes(stream.getvalue())
    same(File(archive).npz(), ARRAYS)


def test_every_cut_and_every_flipped_byte_is_one_line_or_changes_nothing(archive):
    data = archive.read_bytes()
    for length in range(0, len(data), 7):
        archive.write_bytes(data[:length])
        refused(File(archive).npz, "some.npz cannot be read (")
    for place in range(0, len(data), 3):
        archive.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            found = File(archive).npz()
        except NeurosimError as problem:
            assert "cannot be read" in str(problem)
            continue
        values = [array for name, array in found.items() if name in ARRAYS]  # a name may have changed in both places
        assert len(found) == len(ARRAYS) and all(any(np.array_equal(v, a) for a in ARRAYS.values()) for v in values)


def test_a_directory_that_leaves_a_member_out_is_no_directory(archive):
    data = archive.read_bytes()
    start = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", start + 4)
    end = bytearray(data[data.index(b"PK\5\6") :])
    struct.pack_into("<HHII", end, 8, 2, 2, len(data) - second - len(end), start)
    archive.write_bytes(data[:start] + data[second : len(data) - len(end)] + bytes(end))
    with np.load(archive) as tolerant:
        assert len(tolerant.files) == 2
    refused(File(archive).npz, "its directory does not name all that is in it")


def test_what_declares_more_than_is_believed_is_refused_before_memory_is_spent(tmp_path, monkeypatch):
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, images=np.zeros((70, 1000, 1000), np.uint8))
    assert path.stat().st_size < 200_000
    refused(File(path, error=DataError).npz, "it declares 70,000,128 bytes, more than 67,108,864")
    np.savez(path, a=np.zeros(1000))
    monkeypatch.setattr(reading, "room", lambda: 1000)
    refused(File(path).npz, "more than 1,000")
    monkeypatch.undo()
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("a.npy", head.getvalue() + bytes(80))
    refused(File(path).npz, "declares (1000000000000,) float64, which is not what it holds")


@pytest.mark.parametrize(
    "array", [np.array([{}], object), np.zeros(2, [("a", int)]), np.zeros(2, "M8[s]"), np.zeros(3, complex)]
)
def test_what_is_no_plain_number_is_refused(array, tmp_path):
    np.savez(tmp_path / "a.npz", a=array, allow_pickle=True)
    refused(File(tmp_path / "a.npz").npz, "cannot be read")


def test_packed_bytes(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"abc") + gzip.compress(b"def"))
    assert File(path).unpacked() == b"abcdef"
    path.write_bytes(gzip.compress(bytes(70_000_000), 1))
    refused(File(path).unpacked, "unpack to more than is believed")
    path.write_bytes(gzip.compress(b"abc" * 50)[:-9])
    refused(File(path).unpacked, "cut short")
    path.write_bytes(b"plain")
    assert File(path).unpacked() == b"plain"


def test_records(tmp_path):
    path = tmp_path / "a.json"
    for text, words in (
        ("[" * 100_000, "nested deeper than 64"),
        ('{"a":' * 70 + "1" + "}" * 70, "nested deeper than 64"),
        ('{"a": "\\ud800"}', "surrogates not allowed"),
        ("{", "Expecting"),
        ("[]", "it is [], not a record"),
        ("\udcff", "invalid"),
        ("1" * 5000, "cannot be read"),
    ):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        refused(File(path).json, words)
    path.write_text(json.dumps({"a": "[" * 200, "b": [1, 2.5]}), encoding="utf-8")
    assert File(path).json({"a": str, "b": [float], "c?": int})["b"] == [1, 2.5]
    refused(lambda: File(path).json({"b": [int]}), "b[1] is 2.5, not a whole number")
    refused(lambda: File(path).json({"d": int}), "it has no d")
    assert check(parsed('{"a": {"b": null}}'), {"a": ({"b": None}, None)}) and check(None, (dict, None)) is None
    for found, shape in ((True, int), (True, float), (1.0, int), ({"b": 1}, ({"b": str}, None)), ([], str)):
        with pytest.raises(ValueError, match="not"):
            check(found, shape)


def test_tables(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert File(path).rows() == [{"a": "1", "b": "2"}]
    for text in ("a,b\n1\n", "a,b\n1,2,3\n", "a,a\n1,2\n", 'a\n"1\n'):
        path.write_text(text, encoding="utf-8")
        refused(File(path).rows, "a.csv cannot be read")


def tensors(head, data=b"", length=None):
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def test_tensors(tmp_path):
    from safetensors.numpy import save

    path = tmp_path / "a.safetensors"
    wanted = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.zeros((0, 2), np.int64), "c": np.array([True])}
    path.write_bytes(save(wanted, {"x": "y"}))
    found, about = File(path).safetensors()
    same(found, wanted)
    assert about == {"x": "y"}
    one = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    for content in (
        b"",
        tensors({}, length=2**60),
        tensors(b"{}", b"more"),
        tensors({"a": {**one, "shape": [2]}}, bytes(4)),
        tensors({"a": {**one, "shape": [-1, -1]}}, bytes(4)),
        tensors({"a": {**one, "dtype": "BF16"}}, bytes(4)),
        tensors({"a": one, "b": one}, bytes(4)),
        tensors({"a": {**one, "data_offsets": [4, 8]}}, bytes(8)),
        tensors({"a": one, "__metadata__": {"x": 1}}, bytes(4)),
        tensors({"a": one}, bytes(3)),
    ):
        path.write_bytes(content)
        refused(File(path).safetensors, "a.safetensors cannot be read")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no fifos")
def test_what_may_never_end_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refused(File(tmp_path / "pipe").read, "a fifo, no plain file")
    refused(File(tmp_path).read, "a folder, no plain file")
    refused(lambda: File("/dev/zero").read(), "a device, no plain file")
    refused(File(tmp_path / "none").read, "No such file")
    (tmp_path / "plain").write_bytes(b"x")
    with opened(tmp_path / "plain") as file:
        assert file.read() == b"x"


def test_what_goes_wrong_is_said_shortly(tmp_path):
    file = File(tmp_path / "x")
    for problem, words in (
        (MemoryError(), "not enough memory"),
        (RecursionError("deep"), "nested too deep"),
        (KeyError(), "KeyError"),
        (zlib.error("a\nb"), "(a b)"),
        (ValueError("y" * 1000), "yyy)"),
    ):

        def fail(problem=problem):
            with file.whole():
                raise problem

        assert len(refused(fail, words)) < 500
    with pytest.raises(RunError, match="as it was"), file.whole():
        raise RunError("as it was", "a", "b")


def test_memory_that_is_there(tmp_path):
    proc, group = tmp_path / "proc", tmp_path / "group"
    (proc / "self").mkdir(parents=True)
    (group / "memory").mkdir(parents=True)
    assert memory.room(proc, group) == memory.UNKNOWN
    (proc / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 4 kB\n", encoding="utf-8")
    assert memory.room(proc, group) == 4096
    (group / "memory.max").write_text("max\n", encoding="utf-8")
    assert memory.room(proc, group) == 4096
    (group / "memory.max").write_text("3000\n", encoding="utf-8")
    (group / "memory.current").write_text("1000\n", encoding="utf-8")
    assert memory.room(proc, group) == 2000
    assert memory.room() > 0


def test_what_a_terminal_would_obey_is_written_out():
    error = DataError("\x1b[31mred\x07\u202e.png", "a\x9bb", "c")
    assert str(error) == "\\x1b[31mred\\x07\\u202e.png; expected a\\x9bb; c"
    assert visible("café\n像\t") == "café\n像\t"
