"""Options are declared in annotations; what is given is checked against that, by whoever makes the part."""

from typing import Annotated

import pytest

from neurosim.core.options import REQUIRED, Declared, Option, check, parameters
from neurosim.errors import WiringError


class Part(Declared):
    def __init__(
        self,
        network: "NoSuchName",  # noqa: F821
        lags: Annotated[int | None, Option("moments", low=2, none="all")] = 5,
        weight: Annotated[float | None, Option("of each", low=0, needs="lags")] = None,
        order: Annotated[str, Option("of layers", choices=("greedy", "random"))] = "greedy",
        gain: Annotated[float, Option(above=0, below=1)] = 0.5,
        rates: Annotated[tuple[float, ...] | None, Option(low=0)] = None,
        plain=3,
        *rest,
        **more,
    ):
        self.lags = lags


class Child(Part):
    pass


class Grandchild(Child):
    def __init__(self, depth: Annotated[int, Option(low=1, high=4)]):
        super().__init__(None, lags=depth + 1)


def test_a_signature_is_read():
    found = parameters(Child, fixed=("network",))
    assert list(found) == ["lags", "weight", "order", "gain", "rates", "plain"]
    assert (found["lags"].type, found["lags"].optional, found["lags"].default) == (int, True, 5)
    assert (found["rates"].type, found["plain"].type, found["plain"].declared) == (tuple, int, False)
    assert found["order"].option.choices == ("greedy", "random")
    assert parameters(Grandchild)["depth"].default is REQUIRED
    assert parameters(lambda a, b="x": None)["b"].type is str


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"lags": 1}, "lags=1; expected a whole number of at least 2, or 'all'; write lags=5"),
        ({"lags": 2.5}, "lags=2.5; expected a whole number of at least 2"),
        ({"lags": True}, "lags=True; expected"),
        (
            {"lags": None, "weight": 0.5},
            "weight=0.5 with lags=all; expected weight beside a number of lags; leave weight out",
        ),
        ({"weight": float("nan")}, "weight=nan; expected a number of at least 0; leave weight out"),
        ({"order": "sideways"}, "unknown order 'sideways'; expected one of greedy, random; write order='greedy'"),
        ({"gain": 1}, "gain=1; expected a number above 0 and below 1; write gain=0.5"),
        ({"gain": "much"}, "gain='much'; expected a number"),
        ({"rates": (1.0, -1.0)}, "rates=1,-1; expected numbers of at least 0; leave rates out"),
    ],
)
def test_what_is_out_of_range_is_refused_and_names_the_argument(given, line):
    with pytest.raises(WiringError) as caught:
        Child(None, **given)
    assert str(caught.value).startswith(line)
    assert caught.value.argument == next(reversed(given))


def test_what_is_in_range_passes():
    assert Part(None, None, order="random", plain="anything").lags is None
    assert Grandchild(2).lags == 3
    with pytest.raises(WiringError, match="depth=5; expected a whole number of at least 1 and at most 4"):
        Grandchild(5)
    with pytest.raises(TypeError, match="unexpected"):
        Grandchild(2, height=1)
    check(parameters(Part), {"somebody_elses": 1, "rates": [0, 1.5]})


def test_words_of_a_file_become_values():
    found = parameters(Part)
    assert found["lags"].read("all") is None and found["lags"].read(7) == 7
    assert found["rates"].read([1, 2.0]) == (1, 2.0) and found["rates"].read("none") is None
