"""How many cores: the smallest of what the machine has, a container grants and a scheduler grants."""

import pytest

from neurosim.core import cores
from neurosim.engine.threads import ThreadTeam


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """Eight cores, no quota, nothing granted."""
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(cores, "CGROUP", tmp_path)
    for name in cores.GRANTED:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_all_that_it_is_bound_to(monkeypatch):
    assert cores.cores() == (8, "cores of this machine")
    assert ThreadTeam().threads == 8 and ThreadTeam(3).threads == 3


def test_without_a_system_that_tells_all_of_the_machine(monkeypatch):
    monkeypatch.delattr(cores.os, "sched_getaffinity")
    monkeypatch.setattr(cores.os, "cpu_count", lambda: 6)
    assert cores.cores() == (6, "cores of this machine")
    monkeypatch.setattr(cores.os, "cpu_count", lambda: None)
    assert cores.cores()[0] == 1


@pytest.mark.parametrize(
    ("text", "count"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 8), ("", 8), ("800001 100000", 8)]
)
def test_a_containers_quota(machine, text, count):
    (machine / "cpu.max").write_text(text, encoding="utf-8")
    assert cores.cores()[0] == count


def test_a_quota_of_the_first_version(machine):
    (machine / "cpu").mkdir()
    (machine / "cpu/cpu.cfs_quota_us").write_text("300000\n", encoding="utf-8")
    (machine / "cpu/cpu.cfs_period_us").write_text("100000\n", encoding="utf-8")
    assert cores.cores() == (3, "the container's quota")
    (machine / "cpu/cpu.cfs_quota_us").write_text("-1\n", encoding="utf-8")
    assert cores.cores() == (8, "cores of this machine")


@pytest.mark.parametrize("name", cores.GRANTED)
@pytest.mark.parametrize(
    ("value", "count"), [("2", 2), ("4,2", 4), ("", 8), ("many", 8), ("0", 8), ("-1", 8), ("64", 8)]
)
def test_what_is_granted(monkeypatch, name, value, count):
    monkeypatch.setenv(name, value)
    assert cores.cores() == (count, name if count < 8 else "cores of this machine")
