"""The audit: evidence that a learning rule transports no weights, asked of its declarations and of what it does.

```python
from neurosim.audit import assert_plausible

def test_my_rule_is_plausible():
    assert_plausible("mylab.rules:MyRule")
```
"""

from neurosim.audit.examine import assert_plausible, audit

__all__ = ["assert_plausible", "audit"]
