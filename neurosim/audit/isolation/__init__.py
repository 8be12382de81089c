"""Other people's code in a process of its own: whatever it does, it changes neither the verdict nor the exit code.

`parent` starts a process, listens and ends it; `launcher` stands between the two, so that what is left running is found;
`guard` sets the limits inside; `child` runs there and answers; `message` is the one way back, framed and signed. The parent
imports nothing but this package, and believes nothing that it can compute itself: the outcome and the exit code are computed
from the evidence, here, and the code that the other process has in memory is compared with this one's. Another limit is added
to `guard`, another way to go wrong to the tests first.
"""
