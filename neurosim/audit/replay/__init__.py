"""Hidden state, found by replay: from the declared state alone, a fresh process must give the same bits.

`recipe` says how another process builds what is audited, `state` records and loads declared state and plays batches step by
step, `process` starts fresh processes and `worker` is what runs in them, `digests` compares the package's code in memory
with its files, `analysis` asks all of it and gives an `Evidence`. `certificate` writes what a reviewer needs to recompute a
verdict, `verify` recomputes it; `segments` replays parts of a finished run.

What may be added: another way to disguise a process (`disguise`), another thing that a certificate holds.
"""
