"""YAML → `Config`, or every problem at once."""

from zoomsync.config.destinations import Library, Vidizmo
from zoomsync.config.file import find_config
from zoomsync.config.quantities import parse_duration, parse_size
from zoomsync.config.reading import load, parse
from zoomsync.config.settings import Config, Recordings, Zoom

__all__ = [
    "Config",
    "Library",
    "Recordings",
    "Vidizmo",
    "Zoom",
    "find_config",
    "load",
    "parse",
    "parse_duration",
    "parse_size",
]
