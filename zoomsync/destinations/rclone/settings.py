"""A remote of rclone in the config."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator

from zoomsync.config.base import DestinationSettings
from zoomsync.config.types import Bandwidth, Place, Text, shown_value
from zoomsync.destinations.base import Destination, DestinationContext
from zoomsync.formatting import size_in_words

_REMOTE = re.compile(r"[\w.+@][\w.+@ -]*:[^\]]*")
"""A name as rclone takes it (https://rclone.org/docs/#valid-remote-names); its server takes no `]` in a path."""
_CLEANED = re.compile(r"//|\\|(^|/)\.\.?(/|$)")
"""In a path: rclone writes there as it is told, and lists it otherwise (https://rclone.org/overview/#encoding)."""
_FLAG = re.compile(
    r"--(transfers|checkers|buffer-size|use-mmap|fast-list|tpslimit(-burst)?|((expect-continue-|con)?timeout)|bind|dscp"
    r"|disable-http2|disable-http-keep-alives|user-agent|ca-cert|multi-thread-[a-z-]+|streaming-upload-cutoff"
    r"|[a-z0-9]+-(upload-cutoff|copy-cutoff|chunk-size|upload-concurrency|concurrency|connections|list-chunk"
    r"|pacer-min-sleep|pacer-burst))"
)
"""Those that set the pace, the memory or the network. Of the other hundreds some hold credentials, some change what is
stored or what proves it, and each release of rclone has new ones."""


def _remote(text: str) -> str:
    if not _REMOTE.fullmatch(text):
        wish = "write one of rclone's config, a colon and a path: s3:bucket/zoom"
        raise ValueError(f"{shown_value(text)} is no remote ({wish})")
    if _CLEANED.search(text.partition(":")[2]):
        raise ValueError(f"{shown_value(text)} has a path that stores change (write it without //, ., .. and \\)")
    return text


def _flag(text: str) -> str:
    name = text.partition("=")[0]
    if not re.fullmatch(r"--[a-z0-9-]+", name):
        raise ValueError(f"{shown_value(text)} is no flag of rclone (write --name=value)")
    if not _FLAG.fullmatch(name):
        wish = "they set the pace, like --transfers=2; the options of a store stand in rclone's own config"
        raise ValueError(f"{name} is none of the flags that may stand here ({wish})")
    return text


Flag: TypeAlias = Annotated[Text, AfterValidator(_flag)]

HALF = 2
"""rclone is told to try half as often as zoomsync does: S3 it asks twice as often as it is told to
(https://github.com/rclone/rclone/blob/v1.75.2/backend/s3/s3.go, NewFs: SetRetries and RetryMaxAttempts). Others it asks
every two seconds at most, one request at a time, and each try to send a file is several requests that are tried again.
"""


class RcloneSettings(DestinationSettings):
    """A remote of rclone, which holds a library; how it is reached stands in rclone's own config."""

    is_prospect_free = True  # an author is a folder

    type: Literal["rclone"]
    """rclone: any store that rclone knows."""
    remote: Annotated[Text, AfterValidator(_remote)]
    """Where, as rclone writes it: the name of a remote, a colon, and the path of the library."""
    config: Place | None = None
    """rclone's config file, which has the credentials; else the one that rclone finds."""
    flags: tuple[Flag, ...] = ()
    """Further flags of rclone, such as --s3-upload-cutoff=5G."""
    verify: Literal["hash", "download"] = "hash"
    """hash: by the store's own hashes, where they prove content, else by reading back; download: by reading back."""
    bandwidth: Bandwidth = None
    """Bytes a second at most, to and from the remote; 20MB, say."""

    def build(self, context: DestinationContext) -> Destination:
        """The remote; rclone is started when it is attached."""
        from zoomsync.destinations.rclone.destination import RcloneDestination
        from zoomsync.destinations.rclone.process import Rclone

        rclone = Rclone(
            config=self.config,
            flags=self.flags,
            bandwidth=self.bandwidth,
            tries=(context.tries + 1) // HALF,
            environ=context.environ,
            new_id=context.new_id,
            check=context.clock.check,
        )
        return RcloneDestination(self, context, rclone)

    def sentence(self) -> str:
        how = "by the store's own hashes where they prove content, else by reading back"
        proof = how if self.verify == "hash" else "by reading back"
        most = f", {size_in_words(self.bandwidth)} a second at most" if self.bandwidth else ""
        return f"publishes to the remote {self.remote} of rclone, verified {proof}{most}"

    def selection(self) -> Mapping[str, object]:
        return {"type": self.type, "remote": self.remote}
