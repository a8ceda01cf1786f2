"""Reading back: in order, by message, by question; and proving it whole."""
