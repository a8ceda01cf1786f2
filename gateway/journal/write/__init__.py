"""Appending: records as bytes, segments, recovery of what a crash left."""
