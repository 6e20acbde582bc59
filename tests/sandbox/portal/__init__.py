"""A stand-in VIDIZMO portal over real HTTP on loopback: strict where its API is confirmed, our table elsewhere."""
