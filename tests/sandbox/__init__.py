"""A stand-in Zoom over real HTTP on loopback, for tests and for `make demo`."""
