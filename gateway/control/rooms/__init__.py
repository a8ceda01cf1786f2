"""Rooms: open, slow, muted or closed."""
