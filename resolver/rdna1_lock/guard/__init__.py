"""Workers that may hang, and the parent that never does: torch runs here and nowhere else."""
