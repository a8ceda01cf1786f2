"""The mirror on the gate's own address."""
