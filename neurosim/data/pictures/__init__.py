"""Pictures in files of any size and kind: found, looked at, decoded, brought to one size, and kept decoded on disk.

`walk` finds files in folders and reads the layout as labels, `decode` turns the bytes of one file into pixels, `survey` looks at
many files before any is decoded, `store` decodes them on all cores into a memory map, `described` says in words what would be
read. Every source of picture files (`neurosim.data.sources.encoded`) goes through here; a file format that Pillow reads is added
to `decode.FORMATS`.
"""
