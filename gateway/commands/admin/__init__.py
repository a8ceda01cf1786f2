"""Commands that ask the admin API: what they have in common is ``calling``."""
