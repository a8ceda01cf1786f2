"""CARRIES: everything with a socket, a file or a process."""
