"""Data sets, one file each: adding a file adds a data set, by its name, to the command line and to Python.

A file holds a class derived from `neurosim.data.sources.base.Source`. A data set outside this package is named
``module:Class``, or by an entry point in the group ``neurosim.data.sources``; a `neurosim.data.dataset.Dataset`, an object of
such a class, or plain arrays may be given in place of a name. `loading` finds and loads them all.
"""
