"""A small platform to stand in front of, and the configuration that puts the gateway there."""
