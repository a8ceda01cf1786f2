"""The node itself: health, metrics, rebuilding, pruning."""
