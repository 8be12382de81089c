"""How far feedback weights resemble forward weights, whatever memory they lie in, before training and after it.

`compare` asks one pair of arrays for every resemblance that chance cannot have made; `analysis` asks every pair of a graph
that has one size. Another way to make one array from another that must be found is added to `compare`.
"""
