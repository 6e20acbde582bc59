"""Every rule about recordings. Pure: facts go in, decisions with their reasons come out; no clock, no file."""
