"""YAML → `Config`, or every problem at once."""

from zoomsync.config.load import parse
from zoomsync.config.schema import Config, EngineSettings, RecordingsSettings, TellSettings, TlsSettings, ZoomSettings
from zoomsync.config.types import parse_duration
from zoomsync.config.yaml_file import find_config, load

__all__ = [
    "Config",
    "EngineSettings",
    "RecordingsSettings",
    "TellSettings",
    "TlsSettings",
    "ZoomSettings",
    "find_config",
    "load",
    "parse",
    "parse_duration",
]
