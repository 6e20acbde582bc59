"""Which addresses a download may go to, and which of them may see the token. Pure."""

import ipaddress
import re
from collections.abc import Sequence

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from zoomsync.formatting import escaped

ZOOM = ("zoom.us", "zoomgov.com")
_SIGNED = re.compile(r"[?&](?:[^=&]*signature|sig|policy|key-pair-id|x-amz-[^=&]*)=", re.IGNORECASE)


class Addresses:
    """The hosts that downloads may use: `download_hosts`, what is below them, and `api_url`'s own."""

    def __init__(self, download_hosts: Sequence[str], api_url: str) -> None:
        self._hosts = tuple(host.lower().strip(".") for host in download_hosts)
        api = parse_url(api_url)
        self._api_host = _host(api)
        self._allows_http = api.scheme == "http" and is_loopback(self._api_host)

    def problem(self, url: str) -> str:
        """Why nothing is fetched from this URL; `""`: it may be. Never shows more than its host."""
        parsed = _parsed(url)
        if parsed is None:
            return "its address is malformed"
        host = _host(parsed)
        if host != self._api_host and not is_below(host, self._hosts):
            return f"it is at {escaped(host)}, which is none of zoom.download_hosts"
        if parsed.scheme != "https" and not (parsed.scheme == "http" and self._allows_http and is_loopback(host)):
            return f"its address at {escaped(host)} is not https"
        return ""

    def may_see_token(self, url: str, first: str) -> bool:
        """Whether the token goes along: to the first address, and to Zoom's further ones without a signature."""
        if url == first:
            return True
        to, origin = _parsed(url), _parsed(first)
        if to is None or origin is None or _SIGNED.search(url):
            return False
        is_same = (to.scheme, _host(to), to.port) == (origin.scheme, _host(origin), origin.port)
        return is_same or (to.scheme == "https" and is_below(_host(to), ZOOM))


def is_below(host: str, hosts: Sequence[str]) -> bool:
    """Whether `host` is one of these or below one."""
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def is_loopback(host: str) -> bool:
    """Whether it is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return is_below(host, ("localhost",))


def _parsed(url: str) -> Url | None:
    """As requests will read it; None for what two readers might read differently."""
    if not url.isprintable() or re.search(r"[\s\\]", url):
        return None
    try:
        parsed = parse_url(url)
    except LocationParseError:
        return None
    return parsed if parsed.host and parsed.auth is None else None


def _host(url: Url) -> str:
    return (url.host or "").lower().strip("[].")
