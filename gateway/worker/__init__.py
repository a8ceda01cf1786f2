"""The data plane: one process, and its only wiring."""
