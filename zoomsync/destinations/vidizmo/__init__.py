"""A VIDIZMO portal as a destination, by its REST API."""

from zoomsync.destinations.vidizmo.settings import VidizmoSettings as Settings

__all__ = ["Settings"]
