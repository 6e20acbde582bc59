"""The nouns of zoomsync: frozen values. Every time is timezone-aware UTC, every size is in bytes."""

from zoomsync.model.item import (
    Author,
    CloudFile,
    Item,
    ItemFile,
    Receipt,
    Stamp,
    Standing,
    StoredFile,
    Surveyed,
    Verdict,
)
from zoomsync.model.ledger import AuthorizationStatus, Entry, Gap, Intent, Phase, Process, Retry, Run
from zoomsync.model.runtime import DAY, HOUR, MINUTE, Clock, Secret
from zoomsync.model.zoom import Fetched, Kind, Meeting, RecordingFile, Segment, User

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "Author",
    "AuthorizationStatus",
    "Clock",
    "CloudFile",
    "Entry",
    "Fetched",
    "Gap",
    "Intent",
    "Item",
    "ItemFile",
    "Kind",
    "Meeting",
    "Phase",
    "Process",
    "Receipt",
    "RecordingFile",
    "Retry",
    "Run",
    "Secret",
    "Segment",
    "Stamp",
    "Standing",
    "StoredFile",
    "Surveyed",
    "User",
    "Verdict",
]
