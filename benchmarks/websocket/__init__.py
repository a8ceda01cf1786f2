"""WebSockets under load: judged frames, broadcasts and idle sessions, beside the same peers in one run."""
