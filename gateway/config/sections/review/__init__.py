"""What people decide, appeals against it, and how they find messages."""
