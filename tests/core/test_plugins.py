"""Parts from a name, a class, a factory, an object or module:Class; the same for every kind. tests/rules has the messages."""

import pytest

from neurosim.core.plugins import Registry
from neurosim.errors import WiringError
from neurosim.losses import REGISTRY
from neurosim.losses.base import Loss
from neurosim.losses.hinge import Hinge


class Mine(Loss):
    def __init__(self, gain=2.0, needed=None):
        self.gain = gain


def test_a_file_in_the_package_adds_a_part(tmp_path, monkeypatch):
    (tmp_path / "lot_of_parts").mkdir()
    (tmp_path / "lot_of_parts" / "__init__.py").touch()
    text = "from neurosim.losses.base import Loss\nclass One(Loss):\n    name = 'one'\n"
    text += "class Many(Loss):\n    name = 'many:N'\n    @staticmethod\n    def claims(name): return name.startswith('many:')\n"
    (tmp_path / "lot_of_parts" / "one.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = Registry("loss", "lot_of_parts", Loss)
    assert set(found.available()) == {"one", "many:N"}
    assert found.make("one").name == "one" and found.find("many:5").name == "many:N"


def test_from_a_class_a_factory_and_an_object():
    assert REGISTRY.make(Mine, gain=3.0).gain == 3.0
    assert REGISTRY.make(lambda gain: Mine(gain), gain=4.0).gain == 4.0
    whole = Mine()
    assert REGISTRY.make(whole) is whole and REGISTRY.options(whole) == {}
    with pytest.raises(WiringError, match="has no option gain"):
        REGISTRY.make(whole, gain=1.0)
    assert list(REGISTRY.options(Mine)) == ["gain", "needed"]


def test_what_they_are_called_in_a_file():
    assert REGISTRY.name(Hinge) == "hinge" and REGISTRY.name("simclr") == "simclr"
    assert REGISTRY.name(Mine) in (f"{__name__}:Mine", "<Mine>")  # whether the tests' folder can be imported
    assert REGISTRY.name(Hinge()) == "<Hinge>"
    with pytest.raises(WiringError, match="the loss <Hinge> was given from Python; expected the same again"):
        REGISTRY.find("<Hinge>")


@pytest.mark.parametrize("thing", [3, int])
def test_what_is_no_part_is_refused(thing):
    with pytest.raises(WiringError, match=r"expected a class derived from neurosim\.losses\.Loss"):
        REGISTRY.find(thing)


def test_a_factory_must_make_one():
    with pytest.raises(WiringError, match="makes what is of type int"):
        REGISTRY.make(lambda: 3)
