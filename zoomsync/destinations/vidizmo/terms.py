"""What the config says of authors, and what a portal's users mean for a host. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zoomsync.destinations.vidizmo.users import PortalUser
from zoomsync.formatting import plural
from zoomsync.model import AuthorSource


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorTerms:
    """What the config says of authors."""

    publish_as: str = "zoom_user"
    me: str = ""
    account: str = ""
    """The e-mail that signs in: `me` where none is set."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    viewer: str = "Viewer"
    contributor: str = "Contributor"
    uploading: frozenset[str] = frozenset({"Contributor"})
    create_users: bool = True
    max_new_users: int = 25
    invites: bool = False
    """Whether the mail with the link has to be asked for; else the portal sends it to whoever is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the portal's users mean for a host."""

    source: AuthorSource
    note: str
    user: PortalUser | None = None


def judge(found: Sequence[PortalUser], terms: AuthorTerms) -> Case:
    """What to do about a host with whose e-mail the portal found these users. Pure."""
    if not found:
        if terms.create_users:
            return Case(source=AuthorSource.NEW, note="would be created and invited")
        return Case(source=AuthorSource.FALLBACK, note="unknown to the portal, and create_users is false")
    if len(found) > 1:
        return Case(source=AuthorSource.FALLBACK, note=f"{plural(len(found), 'user')} of the portal have this e-mail")
    (user,) = found
    if not user.is_active:
        why = "disabled in the portal" if user.has_signed_in is not False else "has not completed the registration"
        return Case(source=AuthorSource.FALLBACK, note=why)
    if user.groups is None or user.groups & terms.uploading:
        return Case(source=AuthorSource.PLAIN, note="exists", user=user)
    if terms.viewer in user.groups:
        return Case(source=AuthorSource.RAISED, note=f"{terms.viewer} would become {terms.contributor}", user=user)
    return Case(source=AuthorSource.FALLBACK, note="in no group that may upload (destination.groups.uploading)")
