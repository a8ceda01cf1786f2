"""Peers side by side on one machine: what a judged message costs, in one run, as ratios."""
