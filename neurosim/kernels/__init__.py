"""The arithmetic, a folder a topic: declarations, the specification in naive loops, the CPU's form, the GPU's and its CUDA text.

What may be added: a topic that several parts use. A small kernel stands in the file of the part that uses it, as those of
`neurosim.plasticity` and `neurosim.losses` do. `devices` gives the forms for a device, `cuda` and `gpu` run CUDA texts.
"""
