"""A remote of rclone: the layout of a library on any store that rclone knows."""

from zoomsync.destinations.rclone.settings import RcloneSettings as Settings

__all__ = ["Settings"]
