"""One reading: the same bytes to the gate and to the parsers of platforms, and what each takes for the message."""
