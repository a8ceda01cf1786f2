"""The workers of this node, as control sees them."""
