"""The cluster: a real scheduler, real workers, all on loopback."""
