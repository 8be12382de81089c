"""How long a training step takes and what it holds, beside floors and beside PyTorch: `neurosim bench`."""
