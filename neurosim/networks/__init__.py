"""Networks: populations and the projections between them, made from a short text.

`text` reads the text, `network` makes the parts, with heads, feedback and inverses where a rule asks for them. A network
with a name is added in ``presets``, a word of a layer in `text`.
"""
