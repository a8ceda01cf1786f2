"""What people are told: every sentence of the gateway, by reason code and language."""
