"""The operations on users and groups."""

from collections.abc import Sequence
from typing import Any

from tests.sandbox.message import Answer, json_answer
from tests.sandbox.portal.call import Call, Handler, Refused, is_count, is_filled, is_flag, is_id, is_text, list_of
from tests.sandbox.portal.call import object_of as fields_of
from tests.sandbox.portal.envelope import enclosed
from tests.sandbox.portal.people import Group, NoLicence, People, PortalUser
from tests.sandbox.portal.settings import PortalSettings

NO_LICENCE = "LicenseLimitExceededException"


class Accounts:
    """Find, create, invite, raise."""

    def __init__(self, settings: PortalSettings, people: People) -> None:
        self._settings = settings
        self._people = people

    def handlers(self) -> dict[str, Handler]:
        """By the name of the operation."""
        return {"user_find": self.find, "user_create": self.create, "user_invite": self.invite,
                "group_list": self.list_groups, "group_add_user": self.add_to_group}  # fmt: skip

    def find(self, call: Call) -> Answer:
        """Whoever has the keyword in the address or a name."""
        asked = call.fields({"keyword": is_filled, "pageIndex": is_count, "pageSize": is_count})
        found = [one for one in self._people.users.values() if self._matches(one, asked["keyword"].lower())]
        size = max(1, min(asked["pageSize"], self._settings.page_cap))
        page = found[asked["pageIndex"] * size :][:size]
        return json_answer(enclosed(self._settings.users_envelope, [self.shown(one) for one in page], len(found)))

    def _matches(self, user: PortalUser, keyword: str) -> bool:
        if not self._settings.finds_in_names:
            return keyword == user.email.lower()
        return any(keyword in text.lower() for text in (user.email, user.first_name, user.last_name))

    def create(self, call: Call) -> Answer:
        """A new user and, if asked for, the mail with the link."""
        required = {"emailAddress": is_filled, "firstName": is_text, "lastName": is_text}
        sent = call.fields(required, {"groups": list_of(fields_of({"id": is_id})), "sendInvitation": is_flag})
        groups = [self._group(one["id"]).name for one in sent.get("groups", [])]
        if self._settings.membership == "roles" and len(groups) > 1:
            raise Refused(400, "InvalidRequestException", "groups: a user has one role")
        user = self.new_user(sent["emailAddress"], groups, sent["firstName"], sent["lastName"])
        if sent.get("sendInvitation"):
            self._people.invite(user)
        return json_answer(self.shown(user), status=201)

    def new_user(self, email: str, groups: Sequence[str], first: str, last: str) -> PortalUser:
        """Adds one, if the portal allows it."""
        if not self._settings.create_users:
            status = self._settings.creation_off_status
            raise Refused(status, "UserCreationDisabledException", "adding users is switched off")
        if email.count("@") != 1:
            raise Refused(400, "InvalidRequestException", "emailAddress: wrong value")
        if self._people.called(email):
            raise Refused(409, "UserAlreadyExistsException")
        try:
            return self._people.create(email, groups, first, last)
        except NoLicence:
            raise Refused(400, NO_LICENCE) from None

    def invite(self, call: Call) -> Answer:
        """The mail once more."""
        call.nothing()
        self._people.invite(self.user(call.arguments["id"]))
        return json_answer({})

    def list_groups(self, _: Call) -> Answer:
        """All groups, or roles."""
        return json_answer({"groups": [self._group_shown(one) for one in self._people.groups.values()]})

    def add_to_group(self, call: Call) -> Answer:
        """Raise a user."""
        call.nothing()
        self.raise_to(self.user(call.arguments["userId"]), self._group(call.arguments["groupId"]))
        return json_answer({})

    def raise_to(self, user: PortalUser, group: Group) -> None:
        """Puts a user into a group, if there is a licence for it."""
        try:
            self._people.join(user, group.name)
        except NoLicence:
            raise Refused(400, NO_LICENCE) from None

    def shown(self, user: PortalUser) -> dict[str, Any]:
        """As in an answer."""
        return {
            "id": self.id(user.id), "emailAddress": user.email, "firstName": user.first_name,
            "lastName": user.last_name, "isActive": user.is_active,
            "groups": [self._group_shown(one) for one in self._people.groups_of(user)],
            "lastLoginDate": user.last_login.isoformat() if user.last_login else None,
        }  # fmt: skip

    def id(self, own: str) -> int | str:
        """In the form that this portal gives to the ids of users and groups."""
        return own if self._settings.ids == "strings" else int(own)

    def user(self, own: object) -> PortalUser:
        """By id; refuses one that is not there."""
        if str(own) not in self._people.users:
            raise Refused(404, "UserNotFoundException", f"{own}: no such user")
        return self._people.users[str(own)]

    def _group(self, own: object) -> Group:
        if str(own) not in self._people.groups:
            raise Refused(404, "GroupNotFoundException", f"{own}: no such group")
        return self._people.groups[str(own)]

    def _group_shown(self, group: Group) -> dict[str, Any]:
        return {"id": self.id(group.id), "name": group.shown}
