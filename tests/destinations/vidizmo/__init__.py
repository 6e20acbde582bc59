"""A VIDIZMO portal, against the stand-in of `tests/sandbox/portal`."""
