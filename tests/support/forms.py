"""One test body for the forms of kernels: every fast form against the naive loops of the reference.

A kernel's own test gives its cases, and that is all that a new kernel needs:

    class TestForms(Forms):
        @staticmethod
        def cases():
            weight, change = np.linspace(-1, 1, 11), np.ones(11)
            yield clipped, {"change": change, "weight": weight, "rate": np.array([0.03]), "limit": 0.5}, ["weight"]
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import neurosim
from neurosim.core import tuning
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.core.step import Step
from neurosim.errors import WiringError

Case = tuple[Kernel, dict[str, Any], list[str]]  # the kernel, its arguments, the names of the arrays that it changes
ROOMS = ("kernels", "plasticity", "parts", "losses", "networks", "rules", "data")
DOUBLE = {"value", "rate"}  # arguments that are float64 whatever the precision

# What kernels of the CPU do at once, so little here that the cases do not fit into one chunk.
CHUNKS = {
    "column_bytes": 1,
    "pooled_units": 1,
    "gathered_units": 3,
    "compared_moments": 4,
    "lagged_numbers": 40,
    "jittered_views": 2,
    "deformed_pixels": 5,
    "tile_set": 1,
    "tile_results": 5,
    "least_tiles": 1,
}


def declared_kernels() -> dict[str, Kernel]:
    """Every kernel that the package declares, by name, wherever it stands."""
    found: dict[str, Kernel] = {}
    for room in ROOMS:
        for entry in pkgutil.walk_packages([f"{neurosim.__path__[0]}/{room}"], f"neurosim.{room}."):
            for thing in list(vars(importlib.import_module(entry.name)).values()):
                if isinstance(thing, Kernel):
                    assert found.setdefault(thing.name, thing) is thing, f"two kernels are named {thing.name}"
    return found


def kernels_with_cases(folder: Path) -> set[str]:
    """Names of the kernels of which a test file in a folder has cases."""
    files = [path for path in sorted(folder.rglob("test_*.py")) if "(Forms)" in path.read_text(encoding="utf-8")]
    classes = [thing for path in files for thing in vars(_imported(path)).values() if inspect.isclass(thing)]
    cases = [case for each in classes if issubclass(each, Forms) and each is not Forms for case in each.all_cases()]
    return {kernel.name for kernel, _, _ in cases}


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("cases_of_" + "_".join(path.with_suffix("").parts[-3:]), path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def agree(case: Case, run: Callable[[Kernel, dict[str, Any]], object], dtype: str) -> None:
    """Run a case in a fast form and in the reference's, and compare every array, those that must not change included.

    Args:
        case: its real arrays are made of the type, but for those that are float64 always.
        run: the fast form, in place.
        dtype: ``float64``: to 1e-12; ``float32``: to 2e-5.
    """
    kernel, arguments, changed = case

    def copies(real: str) -> dict[str, Any]:
        return {
            k: v.astype(real if v.dtype == float and k not in DOUBLE else v.dtype) if isinstance(v, np.ndarray) else v
            for k, v in arguments.items()
        }

    found, wanted = copies(dtype), copies("float64")
    if dtype == "float32":  # the same inputs to both, so that comparisons fall the same way
        wanted = {
            k: v.astype(float) if isinstance(v, np.ndarray) and v.dtype == np.float32 else v
            for k, v in copies(dtype).items()
        }
    run(kernel, found)
    kernel.form("reference")(**wanted)
    for k, value in found.items():
        if isinstance(value, np.ndarray):
            tolerance = (1e-12 if dtype == "float64" else 2e-5) if k in changed else 0
            np.testing.assert_allclose(value, wanted[k], rtol=tolerance, atol=tolerance, err_msg=k)


def on_the_cpu(kernel: Kernel, arguments: dict[str, Any]) -> None:
    """The CPU's form."""
    kernel.form("cpu")(**arguments)


class Forms:
    """The tests; a derived class gives `cases`."""

    @staticmethod
    def cases() -> Iterator[Case]:
        """Kernels with arguments (arrays, scalars, None for what is left out) and the names of what they change."""
        raise NotImplementedError

    @classmethod
    @functools.cache
    def all_cases(cls) -> list[Case]:
        """The cases, made once."""
        return list(cls.cases())

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Every test for every case, and for both precisions where it asks for one."""
        cases = self.all_cases()
        metafunc.parametrize("case", cases, ids=[f"{kernel.name}-{i}" for i, (kernel, _, _) in enumerate(cases)])
        if "dtype" in metafunc.fixturenames:
            metafunc.parametrize("dtype", ["float64", "float32"])

    def test_fast_form_agrees_with_the_reference(self, case, dtype):
        agree(case, on_the_cpu, dtype)

    def test_chunks_of_any_size_give_the_same_numbers(self, monkeypatch, case):
        for name, size in CHUNKS.items():
            monkeypatch.setattr(tuning.CPU, name, size)
        agree(case, on_the_cpu, "float64")

    def test_the_gpus_form_agrees_with_the_reference(self, gpu_form, case, dtype):
        """Where there is none, a GPU refuses the kernel by name."""
        kernel, arguments, _ = case
        if kernel.has("gpu"):
            agree(case, gpu_form, dtype)
        else:
            with pytest.raises(WiringError, match=f"kernel {kernel} has no form for gpu"):
                gpu_form(kernel, arguments)

    def test_cases_fit_the_declarations(self, case):
        """Every case could be a step: sizes and types are as the kernel declares them."""
        kernel, arguments, changed = case
        arrays = {k: v for k, v in arguments.items() if isinstance(v, np.ndarray)}
        axes = {k: [f"{k}{i}" for i in range(v.ndim)] for k, v in arrays.items()}
        buffers = {k: Buffer(k, axes[k], v.shape, "value", kernel.name, v.dtype) for k, v in arrays.items()}
        scalars = {k: v for k, v in arguments.items() if v is not None and k not in arrays}
        assert sorted(Step(kernel, "s", "", buffers, scalars).changed) == sorted(changed)
