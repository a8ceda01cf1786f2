"""The files of the index, and what they keep of records."""
