"""A text held against lists: found, weighed, explained."""
