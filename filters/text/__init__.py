"""Text made comparable, with the way back to the original."""
