"""The library: items in a folder."""
