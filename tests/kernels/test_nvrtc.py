"""gpu.cu compiled by NVRTC, CUDA's run-time compiler, which needs no GPU."""

import ctypes
import importlib.util
import platform
import sys
from pathlib import Path

import pytest

from neurosim.kernels.gpu import REALS, SOURCE, names

ABLE = sys.platform == "linux" and platform.machine() == "x86_64"  # where the test extra brings NVRTC
ARCHITECTURES = ("compute_70", "compute_80", "compute_90")


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


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("real", REALS.values())
def test_the_gpus_kernels_compile_without_a_gpu_or_a_warning(real, architecture):
    library, program = nvrtc(), ctypes.c_void_p()
    source = SOURCE.read_bytes()
    assert library.nvrtcCreateProgram(ctypes.byref(program), source, b"gpu.cu", 0, None, None) == 0
    options = [f"-DREAL={real}".encode(), f"--gpu-architecture={architecture}".encode()]
    done = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    log = text(library, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog").rstrip(b"\0\n").decode()
    assert (done, log) == (0, "")
    code = text(library, program, "nvrtcGetPTXSize", "nvrtcGetPTX").decode()
    missing = [name for name in names() if f".entry {name}(" not in code]
    assert not missing and len(names()) > 50
    assert "atom." not in code and "red.global" not in code  # sums in a fixed order only
    library.nvrtcDestroyProgram(ctypes.byref(program))
