"""A run, from what it is asked to the folder that keeps it.

`config`, `sections` and `recipes/` are what it is asked, `assembly` and `model` what is built from that, `stream` what it
learns from, `trainer` the loop, `callbacks` what happens beside the loop, `folder` what is kept.

What may be added: a recipe (a TOML file), a callback, a field of a section. The trainer never audits.
"""
