"""The ``tidegate`` command: one file a command, and the table that names them."""
