"""What a surface reads, strictly, and why it cannot."""
