"""A zoo of PyTorch modules: each gets the answer that is written beside it."""

import sys
from pathlib import Path

import pytest

from neurosim.audit.torch.audit import audit_model

torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
sys.path.insert(0, str(Path(__file__).parent))
import zoo  # noqa: E402
import zoo_innocent  # noqa: E402, F401
import zoo_transport  # noqa: E402, F401

sys.path.pop(0)


def test_the_zoo_is_large():
    assert len(zoo.CASES) >= 50 and sum(code for code, _ in zoo.CASES.values()) >= 30


@pytest.mark.parametrize("name", sorted(zoo.CASES))
@pytest.mark.filterwarnings("ignore")
def test_a_module_gets_its_answer(name):
    code, build = zoo.CASES[name]
    torch.manual_seed(3)
    found = audit_model(name, *build())
    assert found.exit_code == code, found.text()
