"""The processes of one machine: started, kept alive, ended together."""
