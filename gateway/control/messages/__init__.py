"""Messages: searched for through the index, and each told as a whole."""
