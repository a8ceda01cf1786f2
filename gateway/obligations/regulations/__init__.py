"""The articles of the regulations, as data."""
