"""The state: what it remembers, and what it survives."""
