"""Which addresses a download may go to, and which of them may see the token. Pure."""

import ipaddress
import re
from collections.abc import Sequence
from typing import NamedTuple

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from zoomsync.formatting import escaped

ZOOM = ("zoom.us", "zoomgov.com")
_SIGNED = re.compile(r"[?&](?:[^=&]*signature|sig|policy|key-pair-id|x-amz-[^=&]*)=", re.IGNORECASE)


class Addresses:
    """The hosts that downloads may use: `download_hosts`, what is below them, and `api_url`'s own."""

    def __init__(self, download_hosts: Sequence[str], api_url: str) -> None:
        self._hosts = tuple(host.lower().strip(".") for host in download_hosts)
        api = _parsed(api_url)
        self._api_host = api.host if api else ""
        self._allows_http = bool(api and api.scheme == "http" and is_loopback(api.host))

    def problem(self, url: str) -> str:
        """Why nothing is fetched from this URL; `""`: it may be. Never shows more than its host."""
        to = _parsed(url)
        if to is None:
            return "its address is malformed"
        if to.host != self._api_host and not is_below(to.host, self._hosts):
            return f"it is at {escaped(to.host)}, which is none of zoom.download_hosts"
        if to.scheme != "https" and not (to.scheme == "http" and self._allows_http and is_loopback(to.host)):
            return f"its address at {escaped(to.host)} is not https"
        return ""

    def may_see_token(self, url: str, first: str) -> bool:
        """Whether the token goes along: to the first address, and to Zoom's further ones without a signature."""
        to, origin = _parsed(url), _parsed(first)
        if to is None or origin is None:
            return False
        if url == first:
            return True
        return not _SIGNED.search(url) and (to == origin or (to.scheme == "https" and is_below(to.host, ZOOM)))


def is_below(host: str, hosts: Sequence[str]) -> bool:
    """Whether `host` is one of these or below one."""
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def is_loopback(host: str) -> bool:
    """Whether it is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return is_below(host, ("localhost",))


class _Origin(NamedTuple):
    """Where a URL leads, as requests will read it."""

    scheme: str
    host: str
    port: int | None


def _parsed(url: str) -> _Origin | None:
    """The origin of a URL; None if two readers might read it differently."""
    if not url.isprintable() or re.search(r"[\s\\]", url):
        return None
    try:
        found = parse_url(url)
    except LocationParseError:
        return None
    if not found.host or found.auth is not None:
        return None
    return _Origin(found.scheme or "", found.host.lower().strip("[]."), found.port)
