"""What the table of operations is worth at a portal: each row tried that can be tried without writing."""

from collections.abc import Callable, Iterator, Mapping

from zoomsync.destinations.vidizmo.client import PortalClient
from zoomsync.destinations.vidizmo.media import STATES, read_media
from zoomsync.destinations.vidizmo.templates import Operation
from zoomsync.destinations.vidizmo.terms import AuthorTerms
from zoomsync.destinations.vidizmo.users import ApiUsers, PortalUsers, no_account
from zoomsync.errors import ConfigError, NotAuthorized, Unreachable, ZoomsyncError
from zoomsync.model import Surveyed

OF_USERS = ("user_find", "user_create", "user_invite", "group_list", "group_add_user")
WANTED = ("size", "processed", "attributes", "captions", "handouts")
"""What publishing and deleting live by, of a media."""
NEEDED = frozenset({"size", "processed", "attributes"})
"""Those without which nothing is deleted in Zoom."""


class Unsure(Exception):
    """A trial that neither confirms a row nor speaks against it."""

    def __init__(self, fact: str, *, hint: str = "") -> None:
        super().__init__(fact)
        self.hint = hint


class SelfCheck:
    """Asks the portal once for each row; changes nothing there."""

    def __init__(
        self, portal: PortalClient, directory: PortalUsers, terms: AuthorTerms, *, category: str | None
    ) -> None:
        self._portal = portal
        self._directory = directory
        self._terms = terms
        self._category = category
        self._media = ""
        self._trials: Mapping[str, Callable[[], str]] = {
            "user_find": self._users,
            "group_list": self._groups,
            "media_search": self._search,
            "media_get": self._get,
            "category_list": self._categories,
            "attribute_list": self._attributes,
        }

    def rows(self) -> Iterator[Surveyed]:
        """One by one, in an order in which one trial can use what another found; none without signing in."""
        first = self._tried("sign_in", self._sign_in)
        yield first
        if first.result != "refused":
            yield from self._others()

    def _others(self) -> Iterator[Surveyed]:
        by_scim = not isinstance(self._directory, ApiUsers)
        if by_scim:
            yield self._tried("scim", self._users)
        names = [name for name in self._portal.table if name not in ("sign_in", "media_get")]
        for name in [*names, "media_get"]:
            if by_scim and name in OF_USERS:
                yield Surveyed(name=name, result="unchecked", message="not used: users are found and made by SCIM")
            elif name in self._trials:
                yield self._tried(name, self._trials[name])
            else:
                yield self._untried(name, self._portal.table[name])

    def _tried(self, name: str, trial: Callable[[], str]) -> Surveyed:
        try:
            fact = trial()
        except Unsure as unsure:
            return Surveyed(name=name, result="unchecked", message=str(unsure), hint=unsure.hint)
        except (ConfigError, NotAuthorized) as error:
            return Surveyed(name=name, result="refused", message=str(error), hint=error.hint, code=error.code)
        except ZoomsyncError as error:
            return Surveyed(name=name, result="refused", message=str(error), hint=error.hint, code=Unreachable.code)
        return Surveyed(name=name, result="confirmed", message=f"confirmed: {fact}")

    def _untried(self, name: str, row: Operation) -> Surveyed:
        known = "the vendor's pages tell of it" if row.confirmed else "assumed"
        why = "not checkable without writing" if row.writes else "not checkable without an upload"
        return Surveyed(name=name, result="unchecked", message=f"{why}: {row.method} {row.path} ({known})")

    def _sign_in(self) -> str:
        self._portal.sign_in()
        return f"signed in as {self._portal.account.email}"

    def _users(self) -> str:
        account = self._portal.account.email
        found = self._directory.find(account)
        if not found:
            lost = no_account(account)
            raise lost if self._terms.create_users else Unsure(str(lost), hint=lost.hint)
        groups = found[0].groups
        if groups is not None and groups.isdisjoint(self._terms.uploading):
            raise Unsure(
                f"finds {account}, in {', '.join(sorted(groups)) or 'no group'}: none that may upload",
                hint="destination.groups.uploading says which do; or the row has the names of groups elsewhere",
            )
        if groups is None:
            raise Unsure(
                f"finds {account}, but not in which groups",
                hint=f"a {self._terms.viewer} stays one, and is the author, until the portal says it",
            )
        return f"finds {account}, in {', '.join(sorted(groups))}"

    def _groups(self) -> str:
        self._directory.require_groups((self._terms.viewer, self._terms.contributor))
        answer, found = self._portal.listed("group_list")
        names = {answer.text("name", one) for one in found}
        return ", ".join(sorted(names))

    def _search(self) -> str:
        answer, page = next(self._portal.pages("media_search", keyword="", statuses=list(STATES)))
        self._media = self._portal.id(answer, "id", page[0]) if page else ""
        total = answer.get("total")
        return f"{total} media" if isinstance(total, int) else "media are listed"

    def _get(self) -> str:
        if not self._media:
            raise Unsure("not checkable: the portal shows no media yet")
        answer = self._portal.call("media_get", media=self._media)
        read_media(answer)
        missing = [name for name in WANTED if answer.get(name) is None]
        shown = f"no {', no '.join(missing)}" if missing else ", ".join(WANTED)
        fact = f"media {self._media} shows {shown}"
        if NEEDED.isdisjoint(missing):
            return fact
        raise Unsure(fact, hint="nothing is deleted in Zoom before destination.endpoints.media_get.answer says where")

    def _categories(self) -> str:
        answer, found = self._portal.listed("category_list")
        names = {answer.text("name", one) for one in found}
        if self._category and self._category not in names | {answer.text("id", one) for one in found}:
            raise Unreachable(
                f"destination.category: the portal has no {self._category}",
                hint=f"it has: {', '.join(sorted(names)) or 'none'}",
                service="portal",
            )
        return f"{len(names)} listed"

    def _attributes(self) -> str:
        _, found = self._portal.listed("attribute_list")
        return f"{len(found)} listed"
