"""Every CUDA text compiled by NVRTC, CUDA's run-time compiler, which needs no GPU."""

import ctypes
import importlib.util
import platform
import sys
from pathlib import Path

import pytest
from forms import declared_kernels

import neurosim
from neurosim.kernels.gpu import REALS
from neurosim.kernels.sources import PRELUDE, registered

ABLE = sys.platform == "linux" and platform.machine() == "x86_64"  # where the test extra brings NVRTC
ARCHITECTURES = ("compute_70", "compute_80", "compute_90")


def texts():
    """Every CUDA text of the package, once the forms for a GPU of every kernel are imported."""
    for kernel in declared_kernels().values():
        kernel.has("gpu")
    return registered()


TEXTS = texts()


def nvrtc():
    """The library of the package nvidia-cuda-nvrtc-cu12; it is missing only where it does not exist."""
    if not ABLE:
        pytest.skip("the package nvidia-cuda-nvrtc-cu12 is for Linux on x86-64")
    found = importlib.util.find_spec("nvidia.cuda_nvrtc") if importlib.util.find_spec("nvidia") else None
    assert found, "NVRTC is missing; expected nvidia-cuda-nvrtc-cu12 of the test extra; run `pip install -e '.[test]'`"
    return ctypes.CDLL(str(Path(found.submodule_search_locations[0], "lib", "libnvrtc.so.12")))


def text(library, program, size_of, get):
    """A text or a code that a program of NVRTC holds."""
    size = ctypes.c_size_t()
    assert getattr(library, size_of)(program, ctypes.byref(size)) == 0
    held = ctypes.create_string_buffer(size.value)
    assert getattr(library, get)(program, held) == 0
    return held.raw


def test_no_text_is_left_out():
    """Every file is registered, every function has a name of its own, and each begins as launches look for it."""
    files = set(Path(neurosim.__path__[0]).rglob("*.cu")) - {PRELUDE}
    assert files == {Path(each.where) for each in TEXTS if each.where.endswith(".cu")}
    names = [name for each in TEXTS for name in each.names]
    assert len(set(names)) == len(names) > 50
    assert len(names) == sum(each.text.count("KERNEL") for each in TEXTS)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("real", REALS.values())
@pytest.mark.parametrize("source", TEXTS, ids=[each.names[0] for each in TEXTS])
def test_cuda_texts_compile_without_a_gpu_or_a_warning(source, real, architecture):
    library, program = nvrtc(), ctypes.c_void_p()
    whole = source.whole.encode()
    assert library.nvrtcCreateProgram(ctypes.byref(program), whole, b"kernels.cu", 0, None, None) == 0
    options = [f"-DREAL={real}".encode(), f"--gpu-architecture={architecture}".encode()]
    done = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    log = text(library, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog").rstrip(b"\0\n").decode()
    assert (done, log) == (0, "")
    code = text(library, program, "nvrtcGetPTXSize", "nvrtcGetPTX").decode()
    missing = [name for name in source.names if f".entry {name}(" not in code]
    assert not missing and source.names
    assert "atom." not in code and "red.global" not in code  # sums in a fixed order only
    library.nvrtcDestroyProgram(ctypes.byref(program))
