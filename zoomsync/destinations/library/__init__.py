"""The library: a plain folder that needs no server."""

from zoomsync.destinations.library.settings import LibrarySettings as Settings

__all__ = ["Settings"]
