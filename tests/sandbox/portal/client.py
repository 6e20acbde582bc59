"""A client of the portal that believes everything, for tests of the stand-in itself."""

import base64
import uuid as guids
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import quote

import pytest
import requests

from tests.sandbox.portal.server import Portal

ATTRIBUTE = "ZoomMeetingUUID"
WRONG = (400, "InvalidRequestException")


def portal_with(**settings: Any) -> pytest.MarkDecorator:
    """Sets the portal of a test that has a fixture `client`."""
    return pytest.mark.parametrize("client", [settings], indirect=True, ids=[" ".join(settings)])


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Status and name of an error in the portal's shape."""
    document = answer.json()
    assert set(document) == {"name", "incidentId", "exceptionDetails"}
    return answer.status_code, document["name"]


class Client:
    """Signed in, with every operation of the table at hand."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {portal.signing.mint()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """Any request below `/api/v1/`."""
        return self.http.request(method, f"{self.portal.url}/api/v1/{path}", **{"timeout": 5, **more})

    def sign_in(self, **changed: Any) -> requests.Response:
        """With the right password; `None` leaves a field out."""
        sent = {"emailAddress": self.portal.email, "password": self.portal.password} | changed
        return self.ask("POST", "user/authenticate", json={key: one for key, one in sent.items() if one is not None})

    def find(self, keyword: str) -> list[dict[str, Any]]:
        """Users by keyword."""
        found = self.ask("POST", "user/search", json={"keyword": keyword, "pageIndex": 0, "pageSize": 10})
        return list(found.json()["users"])

    def group(self, name: str) -> int | str:
        """The id of a group."""
        listed = {one["name"]: one["id"] for one in self.ask("GET", "group").json()["groups"]}
        return listed[name]  # type: ignore[no-any-return]  # what it says

    def create_user(self, email: str, *groups: str, **changed: Any) -> requests.Response:
        """A new user with an invitation."""
        sent = {"emailAddress": email, "firstName": "New", "lastName": "User", "sendInvitation": True}
        return self.ask("POST", "user", json=sent | {"groups": [{"id": self.group(one)} for one in groups]} | changed)

    def raise_user(self, user: object, group: str) -> requests.Response:
        """Add a user to a group."""
        return self.ask("POST", f"group/{self.group(group)}/user/{user}")

    def start(self, name: str = "a meeting.mp4") -> str:
        """Initialise an upload; its address."""
        address = f"blob/{guids.uuid4()}/{quote(name)}/{guids.uuid4()}"
        assert self.ask("PUT", address, params={"comp": "initialize"}).status_code == 201
        return address

    def block(self, address: str, index: int, data: bytes) -> requests.Response:
        """Send one block."""
        return self.ask("PUT", address, params={"comp": "block", "blockid": block_id(index)}, data=data)

    def listed(self, address: str) -> requests.Response:
        """Which blocks have come."""
        return self.ask("GET", address, params={"comp": "blocklist"})

    def commit(self, address: str, indexes: Sequence[int]) -> requests.Response:
        """Make a file of the blocks."""
        return self.ask(
            "PUT", address, params={"comp": "commit"}, json={"blockIds": [block_id(one) for one in indexes]}
        )

    def upload(self, data: bytes = b"video", name: str = "a meeting.mp4") -> dict[str, Any]:
        """A whole upload of one block; the `content` for what is made of it."""
        address = self.start(name)
        self.block(address, 0, data)
        size = self.commit(address, [0]).json()["size"]
        return {"fileGuid": address.rpartition("/")[2], "fileName": name, "size": size}

    def create(self, data: bytes = b"video", uuid: str = "", **changed: Any) -> requests.Response:
        """A media of an upload; with an attribute, if a uuid is given."""
        content = changed.pop("content", None) or self.upload(data)
        sent = {"title": "A meeting", "description": "", "format": "Video", "status": "Published", "content": content,
                "author": {"id": int(self.portal.service.id)}}  # fmt: skip
        if uuid:
            sent["customAttributes"] = [{"fieldName": ATTRIBUTE, "value": uuid}]
            self.attribute()
        return self.ask("POST", "mashup", json=sent | changed)

    def attribute(self, name: str = ATTRIBUTE, **changed: Any) -> requests.Response:
        """A new custom attribute."""
        sent = {"fieldName": name, "fieldTypeId": "Text", "isMandatory": "false", "displayable": "true"}
        return self.ask("POST", "custom-attributes", json=[sent | {"searchable": "true"} | changed])

    def search(self, keyword: str = "", *status: str, **changed: Any) -> requests.Response:
        """One page of media."""
        sent = {"pageSize": 10, "pageIndex": 0, "isGlobal": True, "keyword": keyword,
                "status": status or ["Drafted", "PendingForApproval", "Published", "Rejected", "Purged"],
                "mashupSearchParts": ["CustomAttributes", "Tags"]}  # fmt: skip
        whole = sent | changed
        return self.ask("POST", "mashup/search", json={key: one for key, one in whole.items() if one is not None})

    def caption(self, media: object, text: bytes = b"WEBVTT\n", culture: str = "en-US") -> requests.Response:
        """Add a text track."""
        content = self.upload(text, "captions.vtt")
        del content["size"]
        return self.ask("POST", f"mashup/{media}/caption", json={"culture": culture, "content": content})

    def handout(self, media: object, data: bytes = b"chat", name: str = "chat.txt") -> requests.Response:
        """Attach a file."""
        return self.ask("POST", f"mashup/{media}/handout", json={"content": self.upload(data, name)})


def block_id(index: int) -> str:
    """As the table has it: base64 of the six-digit index."""
    return base64.b64encode(f"{index:06}".encode()).decode()
