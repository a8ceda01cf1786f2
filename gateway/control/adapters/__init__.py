"""Control's neighbours as they are: each file binds one of ``gateway.control.acts.neighbours``."""
