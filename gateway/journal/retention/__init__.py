"""How long records are kept (law 7)."""
