"""From the lines that a person writes to an automaton that finds them."""
