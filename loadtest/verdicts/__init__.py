"""Which answers are right for a message, and what an answer says."""
