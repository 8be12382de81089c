"""Which arithmetic a kernel does, recorded while it runs, and whether its place allows it (condition (ii), and part of (i)).

`recording` and `tape` are arrays that write down what NumPy is asked to do with them, `world` puts a kernel's code among
them, `categories` names what NumPy's functions do, `ledger` runs a step so and `judgement` holds what it did against what
its place may do. A function of NumPy that is not named yet is added to `categories`; a new way to hide arithmetic in a
kernel is added to the tests first.
"""
