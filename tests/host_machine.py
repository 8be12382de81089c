"""CUDA texts on the CPU: compiled as plain C++, their threads run one after another, on NumPy arrays.

What a GPU adds to this is the hardware, NVRTC's code and cuBLAS; the arithmetic, the indices and the launches are the same.
"""

from __future__ import annotations

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from neurosim.core.backend import Backend
from neurosim.kernels.gpu import Gpu
from neurosim.kernels.sources import Source, source_of
from neurosim.kernels.trouble import no_room

# What CUDA gives to a kernel, and a launch that runs the threads of a grid in an order of its own.
SHIM = """
#include <math.h>
#define __global__ __attribute__((visibility("default")))
#define __device__ static
static struct { unsigned x; } blockIdx, blockDim, gridDim, threadIdx;
extern "C" __global__ void place(unsigned block, unsigned thread, unsigned blocks, unsigned threads)
{ blockIdx.x = block; threadIdx.x = thread; gridDim.x = blocks; blockDim.x = threads; }
"""
FLAGS = ["-std=c++17", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-ffp-contract=off"]


def compiler() -> str | None:
    """A C++ compiler, if there is one."""
    return next(filter(None, map(shutil.which, ("g++", "clang++", "c++"))), None)


@functools.cache
def library(real: str, text: Source) -> ctypes.CDLL:
    """A CUDA text with REAL as float or double."""
    folder = tempfile.mkdtemp(prefix="neurosim-gpu-")
    shim, source, built = (Path(folder, name) for name in ("shim.h", "gpu.cpp", "gpu.so"))
    shim.write_text(SHIM, encoding="utf-8")
    source.write_text(text.whole, encoding="utf-8")
    command = [compiler(), *FLAGS, f"-DREAL={real}", "-include", str(shim), str(source), "-o", str(built)]
    told = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert told.returncode == 0, told.stderr[:4000]
    found = ctypes.CDLL(str(built))
    shutil.rmtree(folder)
    return found


@functools.cache
def declared(source: Source) -> dict[str, list[str]]:
    """Function of a CUDA text -> the types of its arguments, ``REAL *``, ``int`` and so on; the last one is the count."""
    found = re.findall(r"^KERNEL (\w+)\((.*?)\)\n\{", source.text, re.M | re.S)
    return {
        name: [" ".join(each.replace("const ", "").split()[:-1]) + " *" * ("*" in each) for each in text.split(",")]
        for name, text in found
    }


def given(real: str, name: str, arguments):
    """Arguments as C takes them, each of the type that the kernel declares: CUDA itself would not check."""
    arrays = {
        "REAL *": {"float": ("float32",), "double": ("float64",)}[real],
        "double *": ("float64",),
        "Long *": ("int64",),
        "Index *": ("uint32",),
        "Byte *": ("uint8", "bool"),
        "void *": ("uint8", "float32", "float64"),
    }
    kinds = declared(source_of(name))[name][:-1]
    for kind, argument in zip(kinds, arguments, strict=True):
        if isinstance(argument, np.ndarray):
            assert argument.dtype.name in arrays[kind] and argument.flags.c_contiguous, (name, kind, argument.dtype)
            yield ctypes.c_void_p(argument.ctypes.data)
        else:
            whole = isinstance(argument, (int, np.integer))
            assert kind == ("int" if whole else "double"), (name, kind, argument)
            yield ctypes.c_int(int(argument)) if whole else ctypes.c_double(argument)


class Host:
    """A device as `neurosim.kernels.gpu.Gpu` wants it.

    Args:
        blocks, threads: of every launch.
        room: bytes that it pretends to have.
    """

    name = "CUDA texts as plain C++"

    def __init__(self, blocks=3, threads=2, room=1 << 40):
        self.blocks, self.threads, self.room, self.ran = blocks, threads, room, set()

    def free(self):
        return self.room

    def zeros(self, shape, dtype):
        found = np.zeros(shape, dtype)
        if found.nbytes > self.room:
            raise no_room(found.nbytes, self.room)
        return found

    def put(self, target, values):
        target[...] = values

    def host(self, array):
        return array.copy()

    def rows(self, source, index, target):
        np.take(source, index, axis=0, out=target)

    def launch(self, real, name, count, arguments):
        self.ran.add(name)
        built = library(real, source_of(name))
        kernel = getattr(built, name)
        kernel.restype = None
        passed = [*given(real, name, arguments), ctypes.c_uint(count)]
        for block in reversed(range(self.blocks)):
            for thread in reversed(range(self.threads)):
                built.place(block, thread, self.blocks, self.threads)
                kernel(*passed)

    def script(self, calls):
        def run():
            for name, arguments in calls:
                getattr(self, name)(*arguments)

        return run

    def wait(self):
        """Everything is done already."""

    def matmul(self, a, b, out):
        assert out.flags.c_contiguous and a.dtype == b.dtype == out.dtype  # what cuBLAS asks for
        assert out.shape == (*a.shape[:-1], b.shape[-1]) and a.shape[:-2] == b.shape[:-2]
        np.matmul(a, b, out=out)


def gpu(**sizes) -> Backend:
    """The GPU's forms of all kernels on the processor."""
    return Backend("gpu", Gpu(Host(**sizes)))
