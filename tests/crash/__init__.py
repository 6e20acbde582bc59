"""Real passes killed, stopped, and left without room on the disk: the library ends as if nothing had happened."""
