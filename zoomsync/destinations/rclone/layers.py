"""Where a remote leads: rclone's config has remotes that wrap others, as crypt and alias do. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

DEEPEST = 5
"""So many remotes wrap one another at most; what is below is not known."""
SAME_STORE = ("endpoint", "region", "account", "host", "sas_url", "connection_string", "remote")
"""Options of rclone: with another one a remote of the same name is another store."""
_GENERAL = tuple(f"_{one.upper()}" for one in SAME_STORE)
"""How variables of the environment end that give one to all remotes of a type."""
_SECRET = re.compile(r"\?[^;]*|(?i:AccountKey|SharedAccessSignature)=[^;]*")
"""What of such an option may be renewed, and the store is the same (https://rclone.org/azureblob/#authentication)."""
_LOCAL = re.compile(r":local(,[^:]*)?:(?P<path>.*)")
"""A folder of this machine without a section of its own (https://rclone.org/docs/#connection-strings)."""


def layers_of(place: str, section_of: Callable[[str], Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The remote of this place and those that it wraps; the last one is empty if it is not known."""
    found: list[Mapping[str, Any]] = []
    while _is_remote(place):  # else it is a folder of this machine
        name = place.partition(":")[0]
        section = section_of(name) if name and "," not in name and len(found) < DEEPEST else {}
        found.append(section)
        if not section or "upstreams" in section:
            return [*found, {}]
        place = str(section.get("remote", ""))
    return found


def local_folder(place: str, layers: Sequence[Mapping[str, Any]]) -> str | None:
    """The path on this machine to which they lead, as far as it is written; None: to a store, or nobody knows."""
    places = [place, *(str(one["remote"]) for one in layers if one.get("remote"))]
    is_local = _LOCAL.fullmatch(places[-1]) or not _is_remote(places[-1]) or layers[-1].get("type") == "local"
    return next(filter(None, map(_path, reversed(places))), "") if is_local else None


def _is_remote(place: str) -> bool:
    return ":" in place.partition("/")[0]


def _path(place: str) -> str:
    if named := _LOCAL.fullmatch(place):
        return named["path"]
    return place.partition(":")[2] if _is_remote(place) else place


def address(section: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Which store it is, without what is secret; RCLONE_S3_ENDPOINT and its like go before the config, so all of them
    count (https://rclone.org/docs/#precedence)."""
    general = [(key, value) for key, value in sorted(environ.items()) if _is_general(key)]
    own = [(one, str(section.get(one, ""))) for one in SAME_STORE]
    return [f"{key}={_SECRET.sub('', value)}" for key, value in (*own, *general)]


def _is_general(key: str) -> bool:
    return key.startswith("RCLONE_") and key.endswith(_GENERAL)
