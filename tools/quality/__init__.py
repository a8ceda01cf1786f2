"""Measures what the filter finds and what it hits by mistake, beside two peers on the same texts: ``make quality``."""
