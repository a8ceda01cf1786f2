"""Who sends, where to, and with what: where each value is read from."""
