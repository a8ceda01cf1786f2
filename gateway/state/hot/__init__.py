"""The auto-pipelined client: facts about messages, many at a time."""
