"""The admin API: its table of endpoints, its description, its client."""
