"""What goes over the wire between a pass and its workers: plain values that say who asks, sealed ones without secrets.

The plain ones are read before anything else is, so that two versions of zoomsync can tell each other apart.
"""

import hashlib
import io
import pickle
import sys
from dataclasses import replace
from importlib import metadata
from typing import Any, TypedDict

from zoomsync import __version__
from zoomsync.config import Config
from zoomsync.model import RecordingFile, Secret

PYTHON = ".".join(map(str, sys.version_info[:2]))
SAME = "install the same versions of zoomsync and of distributed, with the same Python, on all machines"
PROBE = ".cluster-probe-"
"""How the files begin with which a pass and its workers see that they share staging."""
SHARE = "mount the staging folder of the pass under the same path on every machine, for the same user"


class Terms(TypedDict):
    """What a worker must agree to, and what it may take of what all share."""

    version: str
    account: str
    """See `account_of`."""
    staging: str
    pass_id: str
    """Of one run of zoomsync; the probe in staging and the topic of its events have it in their names."""
    is_look: bool
    """Whether a person only wants to know whether the worker is fit: no orders follow."""
    rate: float
    bandwidth: int | None
    connections: int
    min_free: int
    level: int
    """From which on log lines are wanted."""


def version() -> str:
    """That of the process in which it is called: the scheduler reads orders, too, and must know their types."""
    return f"{__version__} on Python {PYTHON} with Dask {metadata.version('distributed')}"


def account_of(config: Config) -> str:
    """16 hex digits that tell Zoom accounts apart, and say nothing of them."""
    zoom = config.zoom
    text = f"{zoom.account_id.reveal()} {zoom.api_url} {zoom.oauth_url}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Sealer(pickle.Pickler):
    """Leaves out what opens downloads: each side gets that from Zoom itself."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Secret):
            return type(None), ()
        if isinstance(value, RecordingFile) and value.url:
            return replace(value, url="").__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        return NotImplemented


def sealed(value: object) -> bytes:
    """The value as bytes, without secrets and addresses of downloads."""
    buffer = io.BytesIO()
    _Sealer(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def opened(data: bytes) -> Any:
    """What was sealed by the same version of zoomsync, on a connection that nobody else can write to."""
    return pickle.loads(data)  # noqa: S301  # TLS with certificates of both sides, or loopback
