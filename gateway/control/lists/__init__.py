"""Word lists: what is in force and what people changed."""
