"""One run of Locust: its options, what it recorded, and what machine and gateway say of themselves meanwhile."""
