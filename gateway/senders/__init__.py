"""Who is it? Senders that only the platform knows: it is asked with the request's own credentials."""
