"""What many tests share."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from neurosim.core import tuning
from neurosim.errors import DeviceError
from neurosim.kernels.devices import backend


@pytest.fixture(autouse=True)
def many_blocks(monkeypatch):
    """Blocks of any few rows: the small batches of tests are cut into as many blocks and lanes as large ones."""
    monkeypatch.setattr(tuning.CPU, "least_rows", 1)


@pytest.fixture
def relative_error():
    """Gives ``relative_error(found, wanted)``: the largest difference over the largest wanted value."""

    def compare(found, wanted) -> float:
        found, wanted = np.asarray(found), np.asarray(wanted)
        assert found.shape == wanted.shape
        return float(np.abs(found - wanted).max() / (np.abs(wanted).max() or 1))

    return compare


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """Forty pictures of 8 x 8 and their labels."""
    rng = np.random.default_rng(3)
    path = tmp_path_factory.mktemp("data") / "some.npz"
    images = rng.integers(0, 256, (40, 8, 8, 3)).astype(np.uint8)
    labels = np.arange(40) % 4
    np.savez(path, images=images, labels=labels, test_images=images[::2], test_labels=labels[::2])
    return path


@pytest.fixture(scope="session")
def host_machine():
    """The module that runs CUDA texts as plain C++; skips only where there is no C++ compiler."""
    place = Path(__file__).with_name("host_machine.py")
    spec = importlib.util.spec_from_file_location("neurosim_host_machine", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.compiler() is None:
        pytest.skip("no C++ compiler: CUDA texts cannot run as plain C++ here")
    return module


@pytest.fixture(scope="session")
def gpu_kernels():
    """The backend of a GPU; skips only where there is none."""
    try:
        return backend("gpu")
    except DeviceError as problem:
        pytest.skip(str(problem))


@pytest.fixture(params=["plain C++", "gpu"])
def gpu_form(request):
    """``run(kernel, arguments)`` on NumPy arrays, by CUDA texts as plain C++ and on a GPU."""
    on_gpu = request.param == "gpu"
    gpu = request.getfixturevalue("gpu_kernels") if on_gpu else request.getfixturevalue("host_machine").gpu()

    def run(kernel, arguments):
        device, there = gpu.device, {}
        for key, value in arguments.items():
            there[key] = value
            if isinstance(value, np.ndarray):
                there[key] = device.zeros(value.shape, value.dtype)
                device.put(there[key], value)
        gpu.bind(kernel)(**there)
        for key, value in arguments.items():
            if isinstance(value, np.ndarray):
                value[...] = device.host(there[key])

    return run
