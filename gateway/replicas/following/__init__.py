"""The replicator's process: peers, asked one beside the other."""
