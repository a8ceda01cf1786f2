"""DECIDES: pure code; no file, no socket, no event loop (law 13)."""
