"""What a run looks like: report.html from the files in its folder, and the figures on it.

A section is added in `page`, a figure in `figures`; both read what the folder holds and compute nothing anew.
"""
