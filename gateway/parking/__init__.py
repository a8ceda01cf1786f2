"""Messages that wait for a person: sealed, written to a spool by whoever judged them, read from there by control."""
