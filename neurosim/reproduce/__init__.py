"""The paper's two tables by one command: their cells, the protocol at a scale, the grid that is run and kept."""
