"""Who is told by control itself: the platform of what was decided, and whoever is on call of what cannot wait."""
