"""What is between the kernels and CuPy, with a stand-in for CuPy: NumPy's arrays, and CUDA texts as plain C++."""

import functools
import sys
import types

import numpy as np
import pytest
from neurosim.bench.gpu import TOLERANCES, apart, configured, speed, steps

import neurosim as ns
from neurosim.core.backend import Backend
from neurosim.errors import DeviceError, ShapeError
from neurosim.kernels import devices
from neurosim.kernels.cuda import COMPUTE_DEFAULT, COMPUTE_TF32
from neurosim.kernels.gpu import Gpu
from neurosim.training.model import choose_device
from neurosim.training.trainer import Callback

cpu = Backend("cpu")


class Array(np.ndarray):
    """An array with CuPy's way to copy from the host."""

    def set(self, values):
        assert values.dtype == self.dtype and values.shape == self.shape and self.flags.c_contiguous
        self[...] = values


class CUDARuntimeError(RuntimeError):
    pass


class OutOfMemoryError(MemoryError):
    pass


@pytest.fixture
def cupy(monkeypatch, host_machine):
    """A stand-in for CuPy, where ``import cupy`` finds it; its attributes can be changed."""
    stand_in, host = types.ModuleType("cupy"), host_machine.Host()

    class Stream:
        """Work that is queued while it captures is kept for its graph, and not run."""

        capturing, captured = None, []  # the stream that captures now, and every graph's launches

        def __init__(self, non_blocking):
            assert non_blocking  # others cannot capture while the default stream works

        def __enter__(self):
            return self

        def __exit__(self, *_):
            assert Stream.capturing is None

        def begin_capture(self):
            assert Stream.capturing is None
            Stream.capturing = []

        def end_capture(self):
            launches, Stream.capturing = Stream.capturing, None
            Stream.captured.append(launches)
            return types.SimpleNamespace(launch=lambda: [run() for run in launches])

    class RawModule:
        def __init__(self, code, options, backend):
            (define,) = options
            assert "EACH(i)" in code and backend == "nvrtc"
            self.real = define.removeprefix("-DREAL=")

        def get_function(self, name):
            def launch(grid, block, arguments):
                *arguments, count = arguments
                assert all(isinstance(a, (np.int32, np.float64, np.ndarray)) for a in arguments) and isinstance(
                    count, np.uint32
                )
                assert 0 < grid[0] < 2**31 and grid[0] * block[0] >= count > (grid[0] - 1) * block[0]
                run = functools.partial(host.launch, self.real, name, int(count), arguments)
                if Stream.capturing is None:
                    run()
                else:
                    Stream.capturing.append(run)

            return launch

    def matmul(a, b, out):
        if Stream.capturing is not None:
            raise NotImplementedError("cuBLAS is not supported while a stream captures")  # as CuPy does
        host.matmul(a, b, out)

    def zeros(shape, dtype):
        if int(np.prod(shape)) * np.dtype(dtype).itemsize > stand_in.room:
            raise OutOfMemoryError
        return np.zeros(shape, dtype).view(Array)

    device = types.SimpleNamespace(id=0, compute_capability="90", mem_info=(1 << 30, 2 << 30))
    runtime = types.SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        getDeviceCount=lambda: 1,
        getDeviceProperties=lambda _: {"name": b"Stand-in"},
        runtimeGetVersion=lambda: 12090,
        driverGetVersion=lambda: 13000,
    )
    products = {"type": COMPUTE_DEFAULT}
    stand_in.room, stand_in.products, stand_in.__version__ = 1 << 40, products, "0"
    stand_in.cuda = types.SimpleNamespace(
        runtime=runtime,
        Device=lambda: device,
        memory=types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
        Stream=Stream,
    )
    stand_in._core = types.SimpleNamespace(
        get_compute_type=lambda dtype: products["type"], set_compute_type=lambda dtype, kind: products.update(type=kind)
    )
    stand_in.get_default_memory_pool = lambda: types.SimpleNamespace(free_bytes=lambda: 5)
    Stream.null = types.SimpleNamespace(synchronize=lambda: None)
    stand_in.RawModule, stand_in.zeros, stand_in.matmul, stand_in.graphs = RawModule, zeros, matmul, Stream.captured
    stand_in.asnumpy, stand_in.asarray = (lambda array: np.array(array)), np.asarray
    stand_in.take = np.take
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    devices._gpu.cache_clear()
    yield stand_in
    devices._gpu.cache_clear()


@pytest.mark.parametrize("precision", TOLERANCES)
@pytest.mark.parametrize("rule", ["bp", "dtp"])
def test_steps_through_cupys_calls_agree_with_the_cpu(cupy, rule, precision):
    config = configured(rule, precision)
    assert apart(steps(config, devices.backend("gpu", precision)), steps(config, cpu)) <= TOLERANCES[precision]


@pytest.mark.parametrize("rule", ["bp", "ll", "dtp", "simclr", "clapp"])
def test_later_runs_of_a_program_are_graphs_of_launches_between_products(cupy, rule):
    config, runs = configured(rule, "float64"), 4
    found = steps(config, devices.backend("gpu", "float64"), runs, again=True)
    assert apart(found, steps(config, cpu, runs, again=True)) <= TOLERANCES["float64"]
    assert cupy.graphs and all(len(launches) > 1 for launches in cupy.graphs)


def test_what_was_noted_is_forgotten_when_a_workspace_moves(cupy):
    gpu, noted = devices.backend("gpu").gpu, []
    script = gpu.device.script
    gpu.device.script = lambda calls: noted.append(len(calls)) or script(calls)
    totals = [gpu.device.zeros((4,), np.float32) for _ in range(2)]

    class Who:
        """Copies 1, 2, ... into a workspace and on to its total."""

        def __init__(self, total, size):
            self.total, self.size = total, size

        def work(self):
            between = gpu.workspace("test", (self.size,), np.float32)[:4]
            gpu.launch("float32", "copy", 4, self.source, between)
            gpu.launch("float32", "copy", 4, between, self.total)

    few, many = Who(totals[0], 4), Who(totals[1], 400)
    few.source = many.source = source = gpu.device.zeros((4,), np.float32)
    for turn, who in enumerate([few, few, many, many, few, few, many], 1):
        gpu.device.put(source, np.full(4, turn))
        gpu.repeat(who, who.work)
        assert gpu.device.host(who.total).tolist() == [turn] * 4
    assert len(noted) == 3  # few's, then what needs more memory once it has it, and few's again in that memory


def test_speed_is_measured_with_and_without_graphs(cupy):
    found = speed("bp", pairs=2, repeats=1, times=1)["images/s"]
    assert (
        found.keys() == {"neurosim, float32", "neurosim, tf32", "neurosim, tf32 without graphs"}
        and min(found.values()) > 0
    )
    assert cupy.graphs


def test_products_are_of_the_precision_that_was_asked_for(cupy):
    a = np.ones((2, 2), np.float32)
    for precision, kind in (("tf32", COMPUTE_TF32), ("float32", COMPUTE_DEFAULT), ("tf32", COMPUTE_TF32)):
        devices.backend("gpu", precision).gpu.matmul(a, a, np.empty_like(a))
        assert cupy.products["type"] == kind


def test_what_a_gpu_says_of_itself(cupy):
    device = devices.backend("gpu").device
    assert choose_device() == ("gpu", "Stand-in") and device.free() == (1 << 30) + 5
    assert device.versions() == {"cupy": "0", "cuda": 12090, "driver": 13000}
    found = device.zeros((3, 2), np.int64)
    device.put(found, [[1, 2], [3, 4], [5, 6]])
    rows = device.zeros((2, 2), np.int64)
    device.rows(found, np.array([2, 0]), rows)
    assert device.host(rows).tolist() == [[5, 6], [1, 2]]
    device.wait()


def test_what_a_gpu_lacks_is_said_in_one_line(cupy):
    cupy.room = 1000
    with pytest.raises(
        DeviceError, match=r"0\.00 GiB more were asked of the GPU, which has 1\.00 GiB left; .*smaller --batch"
    ):
        devices.backend("gpu").gpu.workspace("columns", (500,), np.float32)
    cupy.cuda.Device().compute_capability = "75"
    with pytest.raises(DeviceError, match=r"precision tf32 on a GPU of compute capability 7\.5; expected 8\.0"):
        devices.backend("gpu", "tf32")
    devices._gpu.cache_clear()
    cupy.cuda.runtime.getDeviceCount = lambda: 0
    with pytest.raises(DeviceError, match="there is none"):
        devices.backend("gpu")

    def none():
        raise CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")

    cupy.cuda.runtime.getDeviceCount = none
    with pytest.raises(
        DeviceError, match=r"CUDA finds none \(cudaErrorNoDevice.*; expected an NVIDIA GPU and its driver"
    ):
        devices.backend("gpu")


def test_arrays_that_cuda_texts_cannot_count_are_refused():
    told = "kernel add is given 4x2 elements; expected fewer than 2147483648 elements, side by side"
    with pytest.raises(ShapeError, match=told):
        Gpu(None).launch("float32", "add", 8, np.zeros((4, 4))[:, :2], np.zeros((4, 2)))


def raising(problem):
    def call(*_, **__):
        raise problem

    return call


def kind(name, words):
    """An error of CuPy's by its name: they are known by names, for their classes move from version to version."""
    return type(name, (RuntimeError,), {})(words)


TROUBLE = {
    "no driver": (
        lambda c: c.cuda.runtime.__dict__.update(
            driverGetVersion=lambda: 0,
            getDeviceCount=raising(
                CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")
            ),
        ),
        "CUDA finds none (cudaErrorInsufficientDriver",
    ),
    "a library of CUDA that is not there": (
        lambda c: c.cuda.runtime.__dict__.update(runtimeGetVersion=raising(OSError("libcudart.so.12: cannot open"))),
        "CUDA finds none (libcudart.so.12",
    ),
    "a driver older than CuPy's CUDA": (
        lambda c: c.cuda.runtime.__dict__.update(driverGetVersion=lambda: 11080),
        "the driver knows CUDA 11, CuPy is for 12",
    ),
    "no NVRTC": (
        lambda c: setattr(c, "RawModule", raising(RuntimeError("CuPy failed to load libnvrtc.so.12: OSError"))),
        "its programs cannot be compiled (CuPy failed to load libnvrtc.so.12",
    ),
    "an NVRTC that compiles nothing": (
        lambda c: setattr(c, "RawModule", raising(kind("CompileException", "nvrtc: error: invalid value for -arch"))),
        "its programs cannot be compiled (nvrtc: error",
    ),
    "no memory": (lambda c: setattr(c, "room", 0), "0.00 GiB more were asked of the GPU"),
    "cuBLAS without memory": (
        lambda c: setattr(c, "matmul", raising(kind("CUBLASError", "CUBLAS_STATUS_ALLOC_FAILED"))),
        "the GPU has no memory left (CUBLAS_STATUS_ALLOC_FAILED)",
    ),
    "a device that does not answer": (
        lambda c: setattr(c, "asnumpy", raising(CUDARuntimeError("cudaErrorDevicesUnavailable: busy"))),
        "the GPU stopped (cudaErrorDevicesUnavailable",
    ),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_is_one_line_and_auto_goes_on_with_the_cpu(cupy, name):
    cause, words = TROUBLE[name]
    cause(cupy)
    with pytest.raises(DeviceError) as caught:
        devices.backend("gpu")
    assert words in str(caught.value) and "\n" not in str(caught.value) and caught.value.exit_code == 2
    device, why = choose_device()
    assert device == "cpu" and words.removeprefix("its ").split(" (")[0] in why


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (
            CUDARuntimeError("cudaErrorECCUncorrectable: uncorrectable ECC error"),
            "the GPU stopped (cudaErrorECCUncorrectable",
        ),
        (CUDARuntimeError("cudaErrorMemoryAllocation: out of memory"), "the GPU has no memory left"),
        (kind("CUDADriverError", "CUDA_ERROR_LAUNCH_FAILED"), "the GPU stopped (CUDA_ERROR_LAUNCH_FAILED)"),
    ],
)
def test_a_device_that_fails_in_training_leaves_the_last_checkpoint(cupy, tmp_path, monkeypatch, problem, words):
    images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 3)).astype(np.uint8)
    given = {"network": "3 pool", "batch": 4, "epochs": 2, "threads": 1, "device": "gpu", "match": False}
    experiment = ns.Experiment(data=images, **given)
    seen = []

    class Fails(Callback):
        def on_batch(self, trainer):
            if trainer.progress.done == 3:
                seen.append((tmp_path / "a" / "checkpoint.npz").read_bytes())
                monkeypatch.setattr(cupy, "asnumpy", raising(problem))
                monkeypatch.setattr(cupy, "matmul", raising(problem))

    with pytest.raises(DeviceError) as caught:
        experiment.fit(tmp_path / "a", [Fails()], checkpoint_every=0)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert (tmp_path / "a" / "checkpoint.npz").stat().st_size and seen
    monkeypatch.undo()


def test_a_mistake_of_ours_stays_one(cupy):
    gpu = devices.backend("gpu").gpu
    with pytest.raises(KeyError):
        gpu.device.launch("float", "no such function", 1, ())
    cupy.matmul = raising(ValueError("shapes do not fit"))
    with pytest.raises(ValueError, match="shapes do not fit"):
        gpu.matmul(1, 2, 3)
