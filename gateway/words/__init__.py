"""Word lists as files: compiled in a process of their own, loaded from a file map, explained to people."""
