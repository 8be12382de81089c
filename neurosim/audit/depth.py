"""What the short audit at the start of a training leaves out: one list, by which it is left out, and said to be."""

from __future__ import annotations

from enum import Enum

from neurosim.audit.evidence import Evidence


class Part(Enum):
    """What the full audit asks and the short one does not; the value is what a report says of it."""

    REPLAYED = "hidden state not replayed: the short audit at the start of a training starts no other process"
    LISTENED = "short audit: nobody listens to what a step asks its process for: files, the stack, other processes"
    DIGESTS = "short audit: no digests of the code in memory; the package's and NumPy's functions are as imported"
    WIRED_AGAIN = "short audit: the plan is not compared with the one that is listed after several batches"
    MEMORY = "short audit: what lies in a short-term memory beyond its lags is not replaced"
    UNITS = "short audit: no single unit of an activity is changed"
    LONGER = "short audit: forward weights are not replaced in a longer run, for kernels that wait for some batches"
    CONTROL = "short audit: feedback weights are not replaced, to see that errors do differ then"
    FAR = "short audit: hooks are called at four places far from the first, not at all of them"
    ABOVE = "short audit: of the units above, few are asked what their error delivers"
    LATER = "short audit: what errors deliver is compared at the start alone, not after some batches"
    READOUT = "short audit: the operations of the read-out are not recorded"


FULL, SHORT = frozenset(Part), frozenset[Part]()  # the parts that an audit asks
OF_REPLAY = (Part.REPLAYED, Part.LISTENED, Part.DIGESTS, Part.WIRED_AGAIN)
OF_PREFLIGHT = (
    "start of a training: interventions are those on a twin with few channels, small pictures and few moments; of the network "
    "itself the plan is walked, and its weights are not compared",
    "start of a training: the rule runs in this process, with no limit of time or memory, and not in one of its own",
)


def asked(part: Part, light: bool) -> bool:
    """Whether a part is asked.

    Args:
        part: of the full audit.
        light: the audit is the short one.
    """
    return part in (SHORT if light else FULL)


def left_out(light: bool, preflight: bool = False) -> Evidence:
    """What is not asked, as evidence.

    Args:
        light: of the short audit.
        preflight: before a training.
    """
    evidence = Evidence("replay")
    for part in Part:
        if not asked(part, light):
            evidence.leave_out(part.value)
    for text in OF_PREFLIGHT if preflight else ():
        evidence.leave_out(text)
    return evidence
