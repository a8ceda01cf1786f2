"""Who brings messages to be judged: requests, and sockets with their sessions."""
