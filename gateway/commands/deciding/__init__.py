"""Commands of those who decide on what waits for a person; they ask the admin API."""
