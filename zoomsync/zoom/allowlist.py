"""Which addresses a download may go to, and which of them may see the token. Pure."""

import ipaddress
import re
from collections.abc import Sequence
from typing import NamedTuple

from zoomsync.formatting import escaped

ZOOM = ("zoom.us", "zoomgov.com")
LONGEST = 2**14
"""Signs of an address; signed ones have about a thousand."""
_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?=[/?#]|\Z)",
    re.ASCII | re.IGNORECASE,
)
"""No sign in the host that anyone could read in another way, and nobody's name or password."""


class Addresses:
    """The hosts that downloads may use: `download_hosts`, what is below them, and `api_url`'s own."""

    def __init__(self, download_hosts: Sequence[str], api_url: str) -> None:
        self._hosts = tuple(host.lower().strip(".") for host in download_hosts)
        self._api = _parsed(api_url) or _Origin("", "", 443)
        self._allows_http = self._api.scheme == "http" and is_loopback(self._api.host)

    def problem(self, url: str) -> str:
        """Why nothing is fetched from this URL; `""`: it may be. Never shows more than its host."""
        to = _parsed(url)
        if to is None:
            return "its address is malformed"
        if to.host != self._api.host and not is_below(to.host, self._hosts):
            return f"it is at {escaped(to.host)}, which is none of zoom.download_hosts"
        if to.scheme != "https" and not (to.scheme == "http" and self._allows_http and is_loopback(to.host)):
            return f"its address at {escaped(to.host)} is not https"
        if to.port != 443 and to != self._api and not is_loopback(to.host):
            return f"its address at {escaped(to.host)} has port {to.port}"
        return ""

    def may_see_token(self, url: str, first: str) -> bool:
        """Whether the token goes along: to the first address, and to Zoom's further ones without a signature."""
        to, origin = _parsed(url), _parsed(first)
        if to is None or origin is None:
            return False
        if url == first:
            return True
        return not _is_signed(url) and (to == origin or (to.scheme == "https" and is_below(to.host, ZOOM)))


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
    port: int


def _parsed(url: str) -> _Origin | None:
    """The origin of a URL; None if two readers might read it differently."""
    if len(url) > LONGEST or not url.isprintable() or re.search(r"[\s\\]", url):
        return None
    found = _ADDRESS.match(url)
    host = found["host"].lower().strip("[]").removesuffix(".") if found else ""
    if found is None or not all(host.split(".")) or (found["host"].startswith("[") and not is_loopback(host)):
        return None
    scheme = found["scheme"].lower()
    return _Origin(scheme, host, int(found["port"] or (80 if scheme == "http" else 443)))


def _is_signed(url: str) -> bool:
    """Whether its query signs it, as that of a signed address does: it needs no token."""
    names = [one.partition("=")[0].lower() for one in re.split("[?&]", url)[1:]]
    return any(
        name.endswith("signature") or name in ("sig", "policy", "key-pair-id") or name.startswith("x-amz-")
        for name in names
    )
