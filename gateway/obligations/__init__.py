"""What the regulations ask of a provider, as data, and which part of the gateway answers it on which route."""
