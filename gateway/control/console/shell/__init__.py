"""What every page of the console shares: the way in, its words, its frame, the way out."""
