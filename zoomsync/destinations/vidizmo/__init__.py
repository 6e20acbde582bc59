"""A VIDIZMO portal as a destination, by its REST API."""
