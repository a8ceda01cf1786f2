"""What is compared, each started the same way: in front of one upstream, pinned to one processor."""
