"""Obligations: how each route stands to each article of the regulations, as the configuration in force has it."""
