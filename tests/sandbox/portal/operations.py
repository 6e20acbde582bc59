"""The table of operations as the portal knows it: each by method, path and `comp`."""

import re
from collections.abc import Mapping
from functools import cache
from urllib.parse import unquote

from tests.sandbox.message import Request

BASE = "/api/v1/"
BLOB = "blob/{blobId}/{fileName}/{fileGuid}"
OPERATIONS: Mapping[str, tuple[str, str]] = {
    "sign_in": ("POST", "user/authenticate"),
    "user_find": ("POST", "user/search"),
    "user_create": ("POST", "user"),
    "user_invite": ("POST", "user/{id}/invitation"),
    "group_list": ("GET", "group"),
    "group_add_user": ("POST", "group/{groupId}/user/{userId}"),
    "upload_start": ("PUT", f"{BLOB}?comp=initialize"),
    "upload_block": ("PUT", f"{BLOB}?comp=block"),
    "upload_status": ("GET", f"{BLOB}?comp=blocklist"),
    "upload_commit": ("PUT", f"{BLOB}?comp=commit"),
    "media_create": ("POST", "mashup"),
    "media_search": ("POST", "mashup/search"),
    "media_get": ("GET", "mashup/{id}"),
    "media_update": ("PUT", "mashup/{id}"),
    "media_delete": ("DELETE", "mashup/{id}"),
    "caption_add": ("POST", "mashup/{id}/caption"),
    "handout_add": ("POST", "mashup/{id}/handout"),
    "category_list": ("GET", "category"),
    "attribute_list": ("GET", "custom-attributes"),
    "attribute_create": ("POST", "custom-attributes"),
}
"""Name: method and path below `/api/v1/`."""
USERS = frozenset({"user_find", "user_create", "user_invite", "group_list", "group_add_user"})


def match(request: Request, moved: Mapping[str, tuple[str, str]]) -> tuple[str, dict[str, str]] | None:
    """The operation that is asked for and what stands in its path; `moved` are those with another address here."""
    if not request.path.startswith(BASE):
        return None
    for name, (method, address) in {**OPERATIONS, **moved}.items():
        if method != request.method:
            continue
        path, _, query = address.partition("?")
        found = _pattern(path).fullmatch(request.path.removeprefix(BASE))
        if found and (not query or request.query.get("comp") == query.removeprefix("comp=")):
            return name, {key: unquote(value) for key, value in found.groupdict().items()}
    return None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))
