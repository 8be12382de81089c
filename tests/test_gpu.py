"""Whole steps and whole runs as the GPU computes them: by CUDA texts as plain C++ everywhere, on a GPU where there is one."""

import sys

import neurosim.cli.train  # noqa: F401
import numpy as np
import pytest
from click.testing import CliRunner
from neurosim.bench.gpu import CASES, PATCHES, TOLERANCES, apart, configured, roofline, steps
from neurosim.cli.main import neurosim as command

from neurosim import losses, rules
from neurosim.core.backend import Backend
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.core.plan import Plan
from neurosim.core.step import Step
from neurosim.data.dataset import Dataset
from neurosim.engine.program import Program
from neurosim.errors import DeviceError, WiringError
from neurosim.kernels import devices
from neurosim.training.config import Config
from neurosim.training.folder import Run
from neurosim.training.model import Model, choose_device
from neurosim.training.stream import ViewStream

cpu = Backend("cpu")


@pytest.fixture(params=["plain C++", "gpu"])
def kernels(request):
    """The kernels of the GPU: as plain C++, and where there is a GPU on it."""
    return (
        request.getfixturevalue("gpu_kernels")
        if request.param == "gpu"
        else request.getfixturevalue("host_machine").gpu()
    )


@pytest.mark.parametrize("precision", TOLERANCES)
@pytest.mark.parametrize("rule", CASES)
def test_three_steps_agree_with_the_cpu(kernels, rule, precision):
    """float64 to 1e-10, float32 to 1e-4, both relative to the whole array."""
    config = configured(rule, precision)
    found, wanted = steps(config, kernels), steps(config, cpu)
    assert found.keys() == wanted.keys() and apart(found, wanted) <= TOLERANCES[precision]
    assert any(np.abs(wanted[name]).max() > 0 for name in wanted if name.startswith("d"))


@pytest.mark.parametrize("rule", ["bp", "ll greedy", "dtp", "barlow", "gaze"])
def test_later_runs_of_a_program_agree_with_the_cpu(kernels, rule):
    """The first run of a program is noted, and later ones repeat it: on a GPU by graphs."""
    config = configured(rule, "float64")
    found, wanted = (steps(config, each, count=4, again=True) for each in (kernels, cpu))
    assert apart(found, wanted) <= TOLERANCES["float64"]


def test_rules_and_errors_that_the_benchmark_has_not_agree_too_or_are_refused_by_name(host_machine, monkeypatch):
    known = [configured(name, "float64") for name in CASES]
    others = {name: {"rule": name} for name in rules.available().keys() - {config.rule.name for config in known}}
    for name in losses.available().keys() - {config.loss.name for config in known}:
        others[name] = {"loss": name, **(PATCHES if losses.find(name).patches else {})}
    assert len(known) > 15 and others.pop("none")
    for name, options in others.items():
        monkeypatch.setitem(CASES, name, options)
        wanted = steps(configured(name, "float64"), cpu)
        try:
            found = steps(configured(name, "float64"), host_machine.gpu())
        except WiringError as problem:
            assert "has no form for gpu" in str(problem)
        else:
            assert found.keys() == wanted.keys() and apart(found, wanted) <= TOLERANCES["float64"]


@pytest.mark.parametrize("rule", ["ll", "dtp", "clapp", "barlow"])
def test_any_grid_and_any_order_of_threads_gives_the_same_bits(host_machine, rule):
    one = steps(configured(rule, "float32"), host_machine.gpu(blocks=1, threads=1))
    for blocks, threads in ((2, 3), (7, 5)):
        found = steps(configured(rule, "float32"), host_machine.gpu(blocks=blocks, threads=threads))
        assert all(found[name].tobytes() == array.tobytes() for name, array in one.items())


def test_the_roofline_has_a_row_for_every_step(host_machine):
    rows = roofline("bp", 2, host_machine.gpu(), {"bytes/s": 1e9, "flop/s": 1e9})
    assert len(rows) > 20 and all(row["microseconds"] > 0 and row["share"] >= 0 for row in rows)


def test_a_gpu_gives_the_same_bits_again(gpu_kernels):
    first, again = (steps(configured("bp", "float32"), gpu_kernels) for _ in range(2))
    assert all(again[name].tobytes() == array.tobytes() for name, array in first.items())


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Pictures of three kinds that differ in where they are bright."""
    rng = np.random.default_rng(5)
    labels = np.arange(60) % 3
    images = rng.integers(0, 120, (60, 8, 8, 3))
    for kind in range(3):
        images[labels == kind, 2 * kind : 2 * kind + 3] += 120
    path, images = tmp_path_factory.mktemp("data") / "bright.npz", images.astype(np.uint8)
    np.savez(path, images=images[:40], labels=labels[:40], test_images=images[40:], test_labels=labels[40:])
    return str(path)


@pytest.fixture
def run_on(monkeypatch):
    """Gives ``run_on(kernels)``: --device gpu runs on these."""

    def run_on(kernels):
        def backend(device, precision="float32"):
            return kernels if device == "gpu" else devices.backend(device, precision)

        monkeypatch.setattr("neurosim.training.model.backend", backend)
        monkeypatch.setattr(sys.modules["neurosim.cli.options"], "choose_device", lambda: ("gpu", kernels.device.name))

    return run_on


OPTIONS = ["--network", "4 hardtanh, 6 pool", "--batch", "8", "--rate", "0.02", "--threads", "1", "--device", "auto"]


def call(*arguments):
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output + str(done.exception)
    return done.output


def test_a_run_trains_resumes_to_the_same_bits_and_is_read_out(kernels, run_on, archive, tmp_path):
    run_on(kernels)
    whole, part = str(tmp_path / "whole"), str(tmp_path / "part")
    told = call("train", "--data", archive, *OPTIONS, "--epochs", "4", "--schedule", "constant", "--out", whole)
    name = kernels.device.name
    assert f"auto took gpu: {name}" in told and f"on {name} in float32" in told and "accuracy  layer" in told
    call("train", "--data", archive, *OPTIONS, "--epochs", "2", "--schedule", "constant", "--out", part)
    call("train", "--resume", part, "--epochs", "4")
    both = [dict(np.load(f"{folder}/checkpoint.npz")) for folder in (whole, part)]
    assert all(both[1][name].tobytes() == array.tobytes() for name, array in both[0].items() if name != "meta")
    accuracy = next(line for line in told.splitlines() if line.startswith("accuracy"))
    assert accuracy in call("evaluate", whole) and accuracy in call("evaluate", whole, "--device", "cpu")


def test_a_run_is_diagnosed(kernels, run_on, archive, tmp_path):
    run_on(kernels)
    call("train", "--data", archive, *OPTIONS, "--epochs", "1", "--diagnose-every", "1", "--out", str(tmp_path / "a"))
    call(
        "train",
        "--data",
        archive,
        *OPTIONS[:-1],
        "cpu",
        "--epochs",
        "1",
        "--diagnose-every",
        "1",
        "--out",
        str(tmp_path / "b"),
    )
    there, here = (Run.open(tmp_path / name).diagnoses() for name in "ab")
    assert [row.keys() for row in there] == [row.keys() for row in here] and len(there) > 1
    for name, angle in there[-1].items():
        if name.startswith("feedback_angle"):
            assert abs(float(angle) - float(here[-1][name])) < 1


@pytest.mark.parametrize("views", ["deform", "motion"])
def test_pictures_on_the_gpu_are_those_of_the_cpu(kernels, run_on, views):
    images = np.random.default_rng(6).integers(0, 256, (12, 3, 8, 8, 3), np.uint8)
    data = Dataset("some", images if views == "motion" else images[:, 0], None, None, None, ())
    config = Config.resolve(network="4 pool", batch=5, views=views, device="gpu")
    run_on(kernels)
    configs = config, config.replace(device="cpu")
    there, here = (ViewStream(Model(each, data.image_shape), data) for each in configs)
    assert there.resident is not None and here.resident is None
    for batch in range(2):
        for stream in (there, here):
            stream.load(1, batch)
        np.testing.assert_array_equal(there.stimulus.images.host(), here.stimulus.images.host())


def test_a_batch_that_does_not_fit_is_refused_with_one_that_does(host_machine, run_on, archive):
    run_on(host_machine.gpu(room=1 << 23))
    config = Config.resolve(data=archive, network="32 hardtanh, 32 pool", batch=20, device="gpu", match=False)
    with pytest.raises(
        DeviceError, match=r"a batch of 20 takes .* GiB .*; expected arrays that fit; write batch=\d+"
    ) as caught:
        Model(config, (8, 8, 3)).memory()
    fits = int(str(caught.value).split("=")[-1])
    assert 2 <= fits < 20
    assert Model(config.replace(batch=fits), (8, 8, 3)).memory() > 0


def test_without_cupy_one_line_says_how_to_correct_it(monkeypatch, archive, tmp_path):
    devices._gpu.cache_clear()
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(DeviceError, match=r"CuPy is not installed; expected CuPy and an NVIDIA GPU; run `pip install"):
        devices.backend("gpu")
    assert choose_device() == ("cpu", "CuPy is not installed")
    with pytest.raises(WiringError, match="precision tf32 with device cpu"):
        devices.backend("cpu", "tf32")
    done = CliRunner().invoke(command, ["train", "--data", archive, "--device", "gpu", "--out", str(tmp_path / "a")])
    assert isinstance(done.exception, DeviceError) and not (tmp_path / "a").exists()
    told = call("train", "--data", archive, *OPTIONS, "--epochs", "1", "--out", str(tmp_path / "b"))
    assert "device    auto took cpu: CuPy is not installed" in told


def test_a_rule_with_a_kernel_of_its_own_is_refused_on_a_gpu(host_machine):
    x = Buffer("x", ("unit",), (3,), "activity", "test")
    mine = Kernel("mine", writes={"x": "unit"}, equation="x = 1")
    mine.cpu(lambda x: x.fill(1))
    plan = Plan("own", [Step(mine, "mine", "x = 1", {"x": x})], [x])
    with pytest.raises(WiringError, match=r"kernel mine has no form for gpu; expected one of its forms \(cpu\)"):
        Program(plan, host_machine.gpu())
    assert x.device is None


def test_buffers_keep_what_they_hold_wherever_they_go(host_machine):
    buffer = Buffer("x", ("sample", "unit"), (3, 2), "activity", "test", initial=lambda: np.arange(6).reshape(3, 2))
    row, device = buffer.part("row", 1, 2), host_machine.Host()
    buffer.move(device)
    assert row.device is device and row.array.tolist() == [[2, 3]]
    row.put(7)
    row.fill(lambda array: array.__setitem__((0, 0), 8) or array.__setitem__((0, 1), 9))
    buffer.move(None)
    assert buffer.host() is buffer.array and buffer.array.tolist() == [[0, 1], [8, 9], [4, 5]]
    assert np.shares_memory(row.array, buffer.array)
