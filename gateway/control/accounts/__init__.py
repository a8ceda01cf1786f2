"""Accounts and credit."""
