"""The desk: people claim cases, read them, decide on them."""
