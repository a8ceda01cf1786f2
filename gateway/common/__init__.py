"""What several processes share: channels, folders, logs, metrics, signals."""
