"""HTTP/1.1 on both sides: strict about what comes in, rebuilt before it goes on."""
