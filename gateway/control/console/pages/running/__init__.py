"""How the place runs: its people and their acts, its state, one's own side of the console."""
