"""What is loaded: a node of our own, or one that runs already, and its admin API."""
