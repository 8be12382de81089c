"""Pickled batches: read without running what a pickle asks for."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from neurosim.data.sources import unpickle
from neurosim.errors import DataError


@pytest.mark.parametrize("protocol", [2, 4])
def test_any_damaged_byte_is_read_or_refused(protocol):
    whole = pickle.dumps({"data": np.arange(8, dtype=np.uint8).reshape(2, 4), "labels": [3, 4]}, protocol)
    assert unpickle.unpickle(whole, Path("x"))["data"].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    for place in range(len(whole)):
        for value in (0, 46, 82, 98, 255):
            damaged = whole[:place] + bytes([value]) + whole[place + 1 :]
            try:
                assert isinstance(unpickle.unpickle(damaged, Path("x")), dict)
            except DataError as error:
                assert "\n" not in str(error)


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_malicious_pickle_does_not_run(protocol, tmp_path):
    mark = tmp_path / "mark"
    for function, argument in ((os.mkdir, str(mark)), (eval, f"open({str(mark)!r}, 'w')"), (np.load, str(mark))):
        with pytest.raises(DataError, match=rf"x asks for '.*{function.__name__}'; .* do not trust"):
            unpickle.unpickle(pickle.dumps({"data": Calls(function, argument)}, protocol), Path("x"))
        assert not mark.exists()
    pickle.loads(pickle.dumps(Calls(os.mkdir, str(mark)), protocol))
    assert mark.exists(), "an ordinary reader runs it"


@pytest.mark.parametrize(
    "name",
    [
        (b"builtins", b"getattr"),
        (b"__builtin__", b"eval"),
        (b"os", b"system"),
        (b"numpy", b"load"),
        (b"numpy", b"f2py"),
        (b"_codecs", b"decode"),
        (b"numpy.core.multiarray", b"scalar"),
        (b"numpy", b"ndarray.tofile"),
        (b"neurosim.data.sources.unpickle", b"Unpickler"),
        (b"", b""),
        (b"a b", b"c d"),
    ],
)
def test_every_other_name_is_refused(name):
    texts = b"".join(b"\x8c%c%s" % (len(part), part) for part in name)
    for pickled in (b"c%s\n%s\n." % name, b"\x80\x04%s\x93." % texts):
        with pytest.raises(DataError, match=r"x asks for|is no pickled batch"):
            unpickle.unpickle(pickled, Path("x"))


def test_a_file_cannot_change_what_a_name_becomes():
    before = {one: dict(vars(one)) for one in unpickle.ADMITTED.values()}
    for module, name in unpickle.ADMITTED:
        for state in (b"}(U\x05valueK\x01u", b"N}(U\x05valueK\x01u\x86"):
            with pytest.raises(DataError, match="is no pickled batch"):
                unpickle.unpickle(b"\x80\x02c%s\n%s\n%sb." % (module.encode(), name.encode(), state), Path("x"))
    assert {one: dict(vars(one)) for one in unpickle.ADMITTED.values()} == before


@pytest.mark.parametrize("numbering", [b"r\xff\xff\xff\xff", b"p99999999999\n"])
def test_a_file_cannot_ask_for_more_memory_than_it_has(numbering):
    with pytest.raises(DataError, match="beyond the file's length"):
        unpickle.unpickle(b"\x80\x02}" + numbering + b".", Path("x"))


def test_codecs_are_not_looked_up():
    pickled = pickle.dumps({"data": Calls(__import__("_codecs").encode, "ab\xff", "rot13")}, 2)
    assert unpickle.unpickle(pickled, Path("x")) == {"data": b"ab\xff"}


def deep(key, times=60):
    """A tuple of a tuple, twice, and so on: as a pickle a few bytes a level."""
    for _ in range(times):
        key = (key, key)
    return key


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
def test_keys_that_would_be_hashed_for_ever_are_refused(protocol):
    key = pickle.dumps(deep(b"data"), protocol)[:-1]  # Python itself could not make the dictionary
    for whole in (b"}%sK\x01s.", b"}(%sK\x01u.", b"(%sK\x01d.", b"}}K\x01%ss.", b"\x8f(%s\x90.", b"(%s\x91."):
        with pytest.raises(DataError, match="more keys than any batch has"):
            unpickle.unpickle(whole.replace(b"}}K\x01%ss.", b"}K\x02}%sK\x01ss.") % key, Path("x"))


def test_colliding_keys_and_operations_without_their_values_are_refused():
    many = pickle.dumps({number * (2**61 - 1): 0 for number in range(2000)}, 2)
    with pytest.raises(DataError, match="more keys than any batch has"):
        unpickle.unpickle(many, Path("x"))
    for text in (b"s.", b"}(K\x01u", b"u.", b"\x86.", b"(\x86.", b"2."):
        with pytest.raises(DataError, match="is no pickled batch"):
            unpickle.unpickle(text, Path("x"))
