"""What one key alone cannot show, and how it is told."""
