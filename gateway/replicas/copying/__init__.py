"""A copy of another node's journal: what is asked, what is given, and what is written down."""
