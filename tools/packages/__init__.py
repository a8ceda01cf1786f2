"""What is given to others: wheels, pure and compiled, the source archive, a list of what is in them; and trying all."""
