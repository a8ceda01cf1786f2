"""Acts: what people do, why, when; the rows they change, and how each is told and undone (law 12)."""
