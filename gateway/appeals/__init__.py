"""Codes by which people appeal, and the way back from a code to its message."""
