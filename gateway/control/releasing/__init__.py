"""Held messages that a person approved: asked of the platform once, and what became of it told."""
