"""What state holds: the names of its keys, the snapshot, and what a client is told."""
