"""What keys hold: units, sources, secrets, and the model that every section is."""
