"""Verifying, rebuilding and importing a mirror."""
