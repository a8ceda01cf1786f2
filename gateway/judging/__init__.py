"""One message's life, whoever carried it: what is asked, decided, recorded and answered."""
