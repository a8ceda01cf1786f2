"""The journal: what was judged, why, and what became of it, written before anything leaves (law 5)."""
