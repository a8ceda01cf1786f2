"""Where state is, what control writes into it, and how workers hear of that."""
