"""Loads as processes of their own: what they send, how they are started and told to begin, and what came of it."""
