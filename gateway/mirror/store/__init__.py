"""The mirror's files: rooms, pages, positions, written so that a crash leaves them whole."""
