"""Control's neighbours as they are: each file binds one of ``gateway.control.ports.ports``."""
