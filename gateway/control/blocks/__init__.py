"""Blocks (封禁) and ranges."""
