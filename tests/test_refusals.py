"""Losses refuse what is no margin; a segment is cut where a step wants what all blocks make."""

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.core.plan import Plan
from neurosim.core.step import Step
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.losses import make

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("hinge", {"threshold": NAN}),
        ("hinge", {"delta": NAN}),
        ("hinge", {"negative_weight": NAN}),
        ("hinge", {"threshold": INF}),
        ("simclr", {"temperature": NAN}),
        ("hinge-mean", {"delta": 5.0}),
        ("hinge-mean", {"delta": -1.0}),
        ("hinge-mean", {"threshold": NAN}),
    ],
)
def test_no_loss_takes_what_is_no_margin(name, given):
    with pytest.raises(WiringError):
        make(name, **given)


def test_a_step_that_wants_all_rows_waits_for_all_rows():
    def declare(name, **more):
        return Buffer(name, ("sample",), (16,), "activity", name, float, **more)

    x, y, z = declare("x", initial=np.arange(16.0), given=True), declare("y"), declare("z")
    copy = Kernel("copy", reads={"x": "row"}, writes={"y": "row"}, over="row")
    copy.cpu(lambda x, y: np.copyto(y, x))
    total = Kernel("total", reads={"y": "all"}, writes={"z": "row"}, over="row")
    total.cpu(lambda y, z: z.fill(y.sum()))
    steps = [
        Step(copy, "", "", {"x": x, "y": y}, over="sample"),
        Step(total, "", "", {"y": y.part("y", 0, 16, "other"), "z": z}, over="sample"),
    ]
    with ThreadTeam(1) as team:
        Program(Plan("p", steps, [z]), Backend("cpu")).run(team)
    assert (z.array == 120).all()
