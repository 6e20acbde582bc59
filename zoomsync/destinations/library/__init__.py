"""The library: a plain folder that needs no server."""
