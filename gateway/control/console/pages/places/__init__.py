"""Search, and what is found by it: messages, senders, rooms, and the measures in force upon them."""
