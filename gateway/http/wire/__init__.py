"""HTTP/1.1 as bytes: heads, framing, targets, forwarding. Sans-I/O."""
