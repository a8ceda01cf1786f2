"""From TOML and lists to an immutable folder that every process loads (law 9)."""
