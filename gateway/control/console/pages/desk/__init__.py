"""Where cases and appeals are decided, and what leads see of it."""
