"""What a rule's plans declare, as a graph: sites, buffers, shared memory, walks back from an update to what it is made of.

`structure` and `transport` answer the conditions from the graph alone; `draw` and `export` show it; `kinds` is the only
place in the audit that knows how a step holds its kernel. What needs no run belongs here: another question to the
declarations, another picture of them. Nothing here runs a kernel.
"""
