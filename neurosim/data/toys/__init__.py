"""The built-in images: ten kinds of solid, drawn by ray casting.

`solids` is the geometry (a kind of solid may be added there), `scenes` what surrounds it, `toys` draws whole sets and keeps
them on disk.
"""
