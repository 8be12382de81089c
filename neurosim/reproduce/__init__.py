"""The paper's two tables by one command, and every rule against its budget by another.

`cells` lists what each cell asks for beside the number that was published, `protocol` scales the published protocol, `grid`
runs a table's cells and keeps them, `pool` runs several at a time, `forecast` says how long it will take, `page` writes the
table. A cell or a table is added in `cells`, by its options alone. `curve` runs every rule for so many minutes in the same way.
"""
