"""The audit: evidence that a learning rule transports no weights, asked of its declarations and of what it does.

Conditions (i) to (iv) are each answered more than once, by analyses that trust one another in nothing: `graph` reads the
declarations, `interventions` replace one thing and run the rest again, `operations` record the arithmetic of every kernel,
`symmetry` compares the numbers of feedback and forward weights, `torch` asks other people's PyTorch models from outside. A
new analysis is a folder of its own that gives a `neurosim.audit.evidence.Evidence`; `checks` puts them together into one
`neurosim.audit.verdict.Verdict`.

```python
from neurosim.audit import assert_plausible

def test_my_rule_is_plausible():
    assert_plausible("mylab.rules:MyRule")
```
"""

from __future__ import annotations

import importlib
from typing import Any

_PUBLIC = {
    "check": "neurosim.audit.checks",
    "assert_plausible": "neurosim.audit.checks",
    "Verdict": "neurosim.audit.verdict",
}
__all__ = ["Verdict", "assert_plausible", "check"]


def __getattr__(name: str) -> Any:
    """Import what is public when it is first asked for: a rule that is only trained needs no audit."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
