"""Hand-over (交接班): what the next lead finds, and what the one before wrote down for them."""
