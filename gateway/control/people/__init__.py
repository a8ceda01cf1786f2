"""People and the record of what they did."""
