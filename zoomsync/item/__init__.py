"""One meeting: its files are fetched, built into an item and published."""
