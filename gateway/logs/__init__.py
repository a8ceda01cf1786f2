"""What the processes say of themselves: one stream of JSON lines on standard error, the access log within it."""
