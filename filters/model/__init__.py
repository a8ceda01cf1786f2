"""What is judged, by which rule, and what came of it: the values that every check shares."""
