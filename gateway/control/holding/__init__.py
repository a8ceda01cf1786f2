"""Messages that wait for a person (先审后发): taken over from the spools, decided, released once."""
