"""Every rule about recordings. Pure: facts come in, decisions with their reasons go out; no clock and no file is read."""
