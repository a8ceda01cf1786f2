"""Who takes part and what they say: suites, people, rooms, arrivals, texts."""
