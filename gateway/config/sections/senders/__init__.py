"""How a route knows who sends, beyond what a request itself says."""
