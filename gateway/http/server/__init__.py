"""The public side: connections, exchanges, routes and answers of our own."""
