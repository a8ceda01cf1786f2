"""One measurement of a running system, and many in turn: the set-up, the window, points of curves, rounds."""
