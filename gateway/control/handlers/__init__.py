"""What each endpoint does; ``gateway.control.routes`` is the table."""
