"""What people decide, and appeals against it."""
