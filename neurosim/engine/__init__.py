"""How a plan runs.

`program` binds it to arrays and kernels, `segments` cut it into blocks and lanes, `threads` run them, `arena` is the memory
that arrays use one after another.

What may be added: another way to run plans, to the same bits. Nothing here knows a part or a rule.
"""
