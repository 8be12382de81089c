"""What arrays are, found by what they do: a declared role that disagrees is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.audit.graph.kinds import builtin
from neurosim.audit.interventions.forward import is_connection, is_mask
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench
    from neurosim.core.buffer import Buffer

BACK = (Role.FEEDBACK_WEIGHT, Role.INVERSE_WEIGHT)  # may carry activity too, where that comes from above
WHY = "a name proves nothing: what an array is, its use shows"


class DerivedRoles:
    """Compares the role of every array that lasts, or is given, with its use.

    Args:
        bench: recorded, its forward pass verified.

    Attributes:
        found: name -> (role by its use, what shows it), where that is not the declared one.
    """

    def __init__(self, bench: Bench):
        self.bench, self.graph = bench, bench.graph
        self.found: dict[str, tuple[Role, str]] = {}
        for name in sorted(self.graph.carries):
            self._carries_activity(self.graph.bases[name])
        for site in self.graph.sites:
            for buffer in self._sent(site):
                self._carries_errors(buffer.base, site)
        self.graph.believe({name: role for name, (role, _) in self.found.items()})

    def answer(self, evidence: Evidence) -> None:
        """All answers.

        Args:
            evidence: to which they are added.
        """
        for _, text in self.found.values():
            evidence.add_finding("declared", text, why=WHY)
        kept = [b for b in self.bench.bases if b.lasts or b.given]
        text = f"{len(kept)} arrays that last or are given are used as what they are declared to be"
        evidence.add_check("declared", text)

    def _carries_activity(self, base: Buffer) -> None:
        """An array through which the forward pass goes is a forward weight."""
        if base.role.is_forward or is_mask(self.graph, base) or self._is_drawn(base):
            return
        users = [s for s in self.graph.sites if s in self.graph.forward and _reads(s, base)]
        if not users or (base.role in BACK and all(self._from_above(s) for s in users)):
            return  # top-down recurrence is no forward weight
        made = next(iter(users[0].step.changed.values()))
        text = f"{base.name} is declared a {base.role} and carries the activity of {made.name}: it is a forward weight"
        self.found[base.name] = Role.FORWARD_WEIGHT, f"{text} ({users[0]})"

    def _sent(self, site: Site) -> list[Buffer]:
        """The arrays through which a step delivers errors."""
        if site in self.graph.forward or not any(b.role is Role.ERROR for b in site.step.changed.values()):
            return []
        if builtin(site.step) and site.kind is not Kind.DELIVER:
            return []
        if not any(b.role is Role.ERROR for b in site.inputs.values()):
            return []
        return [b for b in site.inputs.values() if is_connection(site, b)]

    def _carries_errors(self, base: Buffer, site: Site) -> None:
        """An array through which errors come down is a weight of feedback."""
        if base.role.is_weight or is_mask(self.graph, base) or self._is_drawn(base):
            return
        made = next(b for b in site.step.changed.values() if b.role is Role.ERROR)
        text = f"{base.name} is declared a {base.role} and carries errors to {made.name}: it is a feedback weight"
        self.found.setdefault(base.name, (Role.FEEDBACK_WEIGHT, f"{text} ({site})"))

    def _is_drawn(self, base: Buffer) -> bool:
        """Whether it is drawn anew at every batch, as noise is."""
        return base.role is Role.NOISE and self.bench.is_drawn(base)

    def _from_above(self, site: Site) -> bool:
        """Whether what a step carries comes from activity that its own population has caused."""
        owners = {b.owner for b in site.step.changed.values()}
        waiting, seen = [site], {site}
        for one in waiting:  # grows while it is walked
            for buffer in one.inputs.values():
                for maker in self.graph.makers(one, buffer)[0]:
                    if maker in seen or maker not in self.graph.forward:
                        continue
                    if maker is not site and owners & {b.owner for b in maker.step.changed.values()}:
                        return True
                    seen.add(maker)
                    waiting.append(maker)
        return False


def _reads(site: Site, base: Buffer) -> bool:
    return any(b.base is base for b in site.inputs.values())
