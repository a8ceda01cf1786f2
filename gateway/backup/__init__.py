"""Backup and restore of a node: its control database, its journal, the mirror's own pages, lists and configuration."""
