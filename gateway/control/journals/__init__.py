"""This node's journal, given to nodes that keep a copy of it."""
