"""What the table of operations is worth at a portal: each row is tried that can be tried without writing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoomsync.destinations.vidizmo.client import PortalClient
from zoomsync.destinations.vidizmo.media import STATES, read_media
from zoomsync.destinations.vidizmo.users import ApiUsers, PortalUsers, no_account
from zoomsync.errors import ConfigError, NotAuthorized, Unreachable, ZoomsyncError
from zoomsync.model import Surveyed

if TYPE_CHECKING:
    from zoomsync.destinations.vidizmo.settings import VidizmoSettings

OF_USERS = ("user_find", "user_create", "user_invite", "group_list", "group_add_user")
WANTED = ("size", "processed", "attributes", "captions", "handouts")
"""What publishing and deleting need to know of a media item."""
NEEDED = frozenset({"size", "processed", "attributes"})
"""Those without which nothing is deleted in Zoom."""


class Unsure(Exception):
    """A trial that neither confirms a row nor speaks against it."""

    def __init__(self, fact: str, *, hint: str = "") -> None:
        super().__init__(fact)
        self.hint = hint


@dataclass(slots=True)
class SelfCheck:
    """Asks the portal once for each row; changes nothing there."""

    client: PortalClient
    users: PortalUsers
    settings: "VidizmoSettings"
    _media: str = ""
    """The id of a media item that the search listed."""

    def rows(self) -> Iterator[Surveyed]:
        """One by one, in an order in which one trial can use what another found; none without signing in."""
        trials: Mapping[str, Callable[[], str]] = {
            "user_find": self._find_account,
            "group_list": self._list_groups,
            "media_search": self._search,
            "media_get": self._read,
            "category_list": self._list_categories,
            "attribute_list": lambda: f"{len(self.client.listed('attribute_list'))} listed",
        }
        first = self._tried("sign_in", self._sign_in)
        yield first
        if first.result == "refused":
            return
        by_scim = not isinstance(self.users, ApiUsers)
        if by_scim:
            yield self._tried("scim", self._find_account)
        names = [name for name in self.client.table if name not in ("sign_in", "media_get")]
        for name in [*names, "media_get"]:
            if by_scim and name in OF_USERS:
                yield Surveyed(name=name, result="unchecked", message="not used: users are found and made by SCIM")
            elif name in trials:
                yield self._tried(name, trials[name])
            else:
                row = self.client.table[name]
                known = "the vendor's pages describe it" if row.confirmed else "assumed"
                why = f"not checkable without {'writing' if row.writes else 'an upload'}"
                yield Surveyed(name=name, result="unchecked", message=f"{why}: {row.method} {row.path} ({known})")

    def _tried(self, name: str, trial: Callable[[], str]) -> Surveyed:
        try:
            fact = trial()
        except Unsure as unsure:
            return Surveyed(name=name, result="unchecked", message=str(unsure), hint=unsure.hint)
        except ZoomsyncError as error:
            code = error.code if isinstance(error, ConfigError | NotAuthorized) else Unreachable.code
            return Surveyed(name=name, result="refused", message=str(error), hint=error.hint, code=code)
        return Surveyed(name=name, result="confirmed", message=f"confirmed: {fact}")

    def _sign_in(self) -> str:
        self.client.sign_in()
        return f"signed in as {self.settings.email}"

    def _find_account(self) -> str:
        account, groups = self.settings.email, self.settings.groups
        found = self.users.find(account)
        if not found:
            lost = no_account(account)
            raise lost if self.settings.create_users else Unsure(str(lost), hint=lost.hint)
        own = found[0].groups
        if own is None:
            hint = f"a {groups.viewer} stays one, and is the author, until the portal says it"
            raise Unsure(f"finds {account}, but not in which groups", hint=hint)
        names = ", ".join(sorted(own)) or "no group"
        if own.isdisjoint(groups.may_upload):
            hint = "destination.groups.uploading says which do; or the row has the names of groups elsewhere"
            raise Unsure(f"finds {account}, in {names}: none that may upload", hint=hint)
        return f"finds {account}, in {names}"

    def _list_groups(self) -> str:
        for name in (self.settings.groups.viewer, self.settings.groups.contributor):
            self.users.group_id(name)
        return ", ".join(sorted(self.client.listed("group_list")))

    def _search(self) -> str:
        answer, page = next(self.client.pages("media_search", keyword="", statuses=list(STATES)))
        self._media = self.client.id(answer, "id", page[0]) if page else ""
        total = answer.get("total")
        return f"{total} media" if isinstance(total, int) else "media are listed"

    def _read(self) -> str:
        if not self._media:
            raise Unsure("not checkable: the portal shows no media yet")
        answer = self.client.call("media_get", media=self._media)
        media = read_media(answer, self.settings.uuid_attribute)
        missing = [name for name in WANTED if answer.get(name) is None]
        shown = f"no {', no '.join(missing)}" if missing else ", ".join(WANTED)
        fact = f"media {self._media} shows {shown}"
        if answer.text("processed"):  # a word, whose meaning is assumed
            fact += f"; transcoded ({answer.text('processed')}): {'yes' if media.processed else 'no'}"
        if media.is_sum and not media.sha256:
            raise Unsure(f"{fact}; its size is a sum", hint="nothing is deleted in Zoom: a sum of sizes proves nothing")
        if NEEDED.isdisjoint(missing):
            return fact
        raise Unsure(fact, hint="nothing is deleted in Zoom before destination.endpoints.media_get.answer says where")

    def _list_categories(self) -> str:
        wanted, ids = self.settings.category, self.client.listed("category_list")
        if wanted and wanted not in {*ids, *ids.values()}:
            hint = f"it has: {', '.join(sorted(ids)) or 'none'}"
            raise Unreachable(f"destination.category: the portal has no {wanted}", hint=hint, service="portal")
        return f"{len(ids)} listed"
