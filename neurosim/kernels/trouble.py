"""What fails on a GPU, in one line: memory, the compiler of CUDA texts, the device itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from neurosim.errors import DeviceError

P = ParamSpec("P")
T = TypeVar("T")
# What CuPy and CUDA raise -> what it is.
KINDS = {
    "OutOfMemoryError": "memory",
    "NVRTCError": "compiler",
    "CompileException": "compiler",
    "CUDARuntimeError": "device",
    "CUDADriverError": "device",
    "CUBLASError": "device",
}


def in_one_line(call: Callable[P, T]) -> Callable[P, T]:
    """A call of CUDA, whose failures become one line; mistakes of ours stay what they are."""

    @wraps(call)
    def called(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return call(*arguments, **named)
        except Exception as problem:
            found = trouble(problem)
            if found is None:
                raise
            raise found from None

    return called


def trouble(problem: Exception) -> DeviceError | None:
    """What a failure of CuPy or CUDA says, in one line; None where it is not theirs."""
    words, kind = first_line(problem), KINDS.get(type(problem).__name__, "")
    text = f"{type(problem).__name__} {problem}".lower()
    if kind == "device" and any(each in text for each in ("memoryallocation", "out of memory", "alloc_failed")):
        kind = "memory"
    if isinstance(problem, ImportError | OSError | RuntimeError) and ("nvrtc" in text or "failed to load" in text):
        kind = kind or "compiler"
    if kind == "memory":
        return DeviceError(f"the GPU has no memory left ({words})", "arrays that fit", "write a smaller --batch")
    if kind == "compiler":
        return DeviceError(
            f"device gpu was asked for and its programs cannot be compiled ({words})",
            "CUDA's compiler NVRTC and its libraries",
            "run `pip install 'neurosim[gpu]'` anew, or write --device cpu",
        )
    if kind == "device":
        return DeviceError(
            f"the GPU stopped ({words})",
            "a GPU that goes on working",
            "see `nvidia-smi`; what was saved last is whole: go on with --resume FOLDER, or train on the CPU",
        )
    return None


def no_room(asked: int, free: int) -> DeviceError:
    """What to say when an array does not fit."""
    return DeviceError(
        f"{asked / 2**30:.2f} GiB more were asked of the GPU, which has {free / 2**30:.2f} GiB left",
        "arrays that fit",
        "write a smaller --batch",
    )


def first_line(problem: BaseException) -> str:
    """Of what an error says."""
    return (str(problem).strip() or type(problem).__name__).splitlines()[0]
