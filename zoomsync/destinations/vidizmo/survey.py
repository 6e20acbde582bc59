"""What the table of operations is worth at a portal: each row tried that can be tried without writing."""

from collections.abc import Callable, Iterator, Mapping

from zoomsync.destinations.vidizmo.authors import Terms
from zoomsync.destinations.vidizmo.directory import Directory, PortalDirectory, no_such_group
from zoomsync.destinations.vidizmo.media import STATES, read_media
from zoomsync.destinations.vidizmo.portal import Answer, Portal
from zoomsync.errors import NotAuthorized, Unreachable, ZoomsyncError
from zoomsync.model import Surveyed
from zoomsync.operations import Operation

OF_USERS = ("user_find", "user_create", "user_invite", "group_list", "group_add_user")
WANTED = ("size", "processed", "attributes", "captions", "handouts")
"""What publishing and deleting live by, of a media."""


class Survey:
    """Asks the portal once for each row; changes nothing there."""

    def __init__(self, portal: Portal, directory: Directory, terms: Terms, *, category: str | None) -> None:
        self._portal = portal
        self._directory = directory
        self._terms = terms
        self._category = category
        self._media = ""
        self._trials: Mapping[str, Callable[[], str]] = {
            "sign_in": self._sign_in,
            "user_find": self._users,
            "group_list": self._groups,
            "media_search": self._search,
            "media_get": self._get,
            "category_list": self._categories,
            "attribute_list": self._attributes,
        }

    def rows(self) -> Iterator[Surveyed]:
        """One by one, in an order in which one trial can use what another found."""
        by_scim = not isinstance(self._directory, PortalDirectory)
        if by_scim:
            yield self._tried("scim", self._users)
        names = sorted(self._portal.table, key=lambda name: name == "media_get")
        for name in names:
            if by_scim and name in OF_USERS:
                yield Surveyed(name=name, standing="unchecked", message="not used: users are found and made by SCIM")
            elif name in self._trials:
                yield self._tried(name, self._trials[name])
            else:
                yield self._untried(name, self._portal.table[name])

    def _tried(self, name: str, trial: Callable[[], str]) -> Surveyed:
        try:
            fact = trial()
        except NotAuthorized as error:
            return Surveyed(name=name, standing="refused", message=str(error), hint=error.hint, code=error.code)
        except ZoomsyncError as error:
            return Surveyed(name=name, standing="refused", message=str(error), hint=error.hint, code=Unreachable.code)
        if not fact:
            return Surveyed(name=name, standing="unchecked", message="not checkable: the portal shows no media yet")
        return Surveyed(name=name, standing="confirmed", message=f"confirmed: {fact}")

    def _untried(self, name: str, row: Operation) -> Surveyed:
        known = "the vendor's pages tell of it" if row.confirmed else "assumed"
        why = "not checkable without writing" if row.writes else "not checkable without an upload"
        return Surveyed(name=name, standing="unchecked", message=f"{why}: {row.method} {row.path} ({known})")

    def _sign_in(self) -> str:
        self._portal.sign_in()
        return f"signed in as {self._portal.account.email}"

    def _users(self) -> str:
        account = self._portal.account.email
        found = self._directory.find(account)
        if not found:
            raise Unreachable(
                f"portal: finds no user {account}, who signs in",
                hint="the row may hold the list or its fields elsewhere: see destination.endpoints",
            )
        groups = found[0].groups
        return f"finds {account}" + ("" if groups is None else f", in {', '.join(sorted(groups)) or 'no group'}")

    def _groups(self) -> str:
        answer, found = self._portal.listed("group_list")
        names = {answer.text("name", one) for one in found}
        for name in (self._terms.viewer, self._terms.contributor):
            if name not in names:
                raise no_such_group(name, sorted(names))
        return ", ".join(sorted(names))

    def _search(self) -> str:
        answer, page = next(self._portal.pages("media_search", keyword="", statuses=list(STATES)))
        self._media = self._portal.id(answer, "id", page[0]) if page else ""
        total = answer.get("total")
        return f"{total} media" if isinstance(total, int) else "media are listed"

    def _get(self) -> str:
        if not self._media:
            return ""
        answer = self._portal.call("media_get", media=self._media)
        read_media(answer)
        return f"media {self._media} shows {_shown(answer)}"

    def _categories(self) -> str:
        answer, found = self._portal.listed("category_list")
        names = {answer.text("name", one) for one in found}
        if self._category and self._category not in names | {answer.text("id", one) for one in found}:
            raise Unreachable(
                f"destination.category: the portal has no {self._category}",
                hint=f"it has: {', '.join(sorted(names)) or 'none'}",
            )
        return f"{len(names)} listed"

    def _attributes(self) -> str:
        _, found = self._portal.listed("attribute_list")
        return f"{len(found)} listed"


def _shown(answer: Answer) -> str:
    """What it tells of itself; what is missing keeps a meeting from being deleted in Zoom."""
    missing = [name for name in WANTED if answer.get(name) is None]
    return f"no {', no '.join(missing)}" if missing else ", ".join(WANTED)
