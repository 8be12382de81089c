"""Images before any unit sees them: where they come from, what of them is shown, and how views are deformed.

A data set is added in ``sources``, a deformation in ``views``, a kind of solid in ``toys``; `dataset` is what every source
gives, `fetch` downloads archives, `sheet` draws examples. Labels pass through here to the read-out alone.
"""
