"""Journals of other nodes, copied here while they are written, so that a lost disk loses seconds."""
