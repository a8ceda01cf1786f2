"""State: what is known of senders, rooms and limits, shared by all workers of all nodes."""
