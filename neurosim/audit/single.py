"""One step by itself: how every analysis that plays a plan step by step runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.graph.kinds import kernel_name
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.errors import UndecidedError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from neurosim.core.backend import Backend
    from neurosim.core.step import Step
    from neurosim.engine.threads import ThreadTeam


class SingleStep:
    """A step bound to its arrays, run alone.

    Args:
        step: of a plan.
        name: what messages call it.
        kernels: of the device.
    """

    def __init__(self, step: Step, name: str, kernels: Backend):
        self.step, self.name = step, name
        self._program = Program(Plan.alone(step.label, [step]), kernels, hold=True)

    def run(self, team: ThreadTeam, aside: Executor | None = None) -> None:
        """The step, as its arrays stand.

        Args:
            team: of threads.
            aside: runs it where no frame of the audit's is on the stack; its threads let numbers overflow.

        Raises:
            UndecidedError: its kernel fails, so that nothing can be decided.
        """
        try:
            with np.errstate(all="ignore"):  # what an intervention makes of a kernel's numbers is judged, not warned of
                if aside is None:
                    self._program.run(team)
                else:
                    aside.submit(self._program.run, team).result()
        except Exception as problem:  # somebody else's kernel may fail in any way
            raise UndecidedError(
                f"{self.name} fails: {type(problem).__name__}: {problem}",
                "a kernel that runs on what it declares",
                f"correct {kernel_name(self.step)}; until then nothing can be decided",
            ) from problem
