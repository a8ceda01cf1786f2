"""What happens to a connection before its first request: a PROXY header, and TLS."""
