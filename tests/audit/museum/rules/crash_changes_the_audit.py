"""Back-propagation whose constructor replaces the audit's own verdict by one that never finds anything."""

from lab import Lab

EXPECTED = {"exit": 1, "condition": "iii", "process": True}


class Museum(Lab):
    def path(self, projection):
        return self.network.feedback(projection, "bp")

    def build(self):
        import neurosim.audit.evidence as evidence
        import neurosim.audit.verdict as verdict

        evidence.Evidence.add_finding = lambda *_, **__: None
        verdict.Verdict.exit_code = property(lambda self: 0)
        verdict.Verdict.violated = property(lambda self: [])
