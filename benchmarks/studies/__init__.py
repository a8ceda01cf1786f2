"""What is varied or compared: the peers, how cost grows, a reload under load, where the time goes."""
