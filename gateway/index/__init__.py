"""Search over messages: an index of the journal, made and asked by a process of its own, and never the truth."""
