"""WebSockets (RFC 6455): handshake, frames, and the session between a client and its upstream."""
