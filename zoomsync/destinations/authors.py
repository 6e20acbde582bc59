"""Under whom an item is filed, where the destination has folders for users."""

from collections.abc import Mapping

from zoomsync.model import Author, User
from zoomsync.naming import safe_component


def author_for(host: User, *, publish_as: str, me: str, aliases: Mapping[str, str]) -> Author:
    """The folder of `me`, or of the host's alias or e-mail in lower case; without an e-mail of `me`.

    The note says what else than the e-mail decided.
    """
    if publish_as == "me" and me:
        return _folder(me, "publish_as is me")
    by_lower = {zoom.lower(): own for zoom, own in aliases.items()}
    own = by_lower.get(host.email.lower(), "")
    if own or host.email:
        return _folder(own or host.email, "alias" if own else "")
    if me:
        return _folder(me, "falls back to me: the host has no e-mail")
    return Author(id=safe_component(host.id or "unknown"), email="", note="the host has no e-mail, and me is not set")


def _folder(email: str, note: str) -> Author:
    address = email.strip().lower()
    return Author(id=safe_component(address), email=address, note=note)
