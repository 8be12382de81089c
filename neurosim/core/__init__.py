"""What a simulation is made of: buffers and their roles, kernels' declarations, steps, plans.

Besides, what every room needs: backends, options and plug-ins, workspace, measured constants.

What may be added: what no single room can own. Nothing here knows a part, a rule or a file format.
"""
