"""Control: people, their acts, and what the acts change; its own process, never in a message's way."""
