"""The judged texts of a body, and the body with other texts in their place."""
