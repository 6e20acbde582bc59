"""The default rows: what zoomsync assumes of a portal until a site overrides it.

`confirmed` rows are told of on the vendor's public pages, e.g. https://help.vidizmo.com and a portal's own reference at
`https://{portal}/api/v1/doc/index.html`; the others are shaped after them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zoomsync.destinations.vidizmo.templates import BYTES, PLACEHOLDER, Operation

_USER = {
    "id": "id",
    "email": "emailAddress",
    "active": "isActive",
    "last_login": "lastLoginDate",
    "groups": "groups",
    "group_name": "name",
}
_MEDIA = {
    "id": "id",
    "status": "status",
    "author": "author.emailAddress",
    "size": "size",
    "processed": "isProcessed",
    "version": "version",
    "updated": "updatedDate",
    "duration": "estimatedDuration",
    "attributes": "customAttributes",
    "attribute_name": "fieldName",
    "attribute_value": "value",
    "captions": "captions",
    "caption_culture": "culture",
    "caption_name": "fileName",
    "handouts": "handouts",
    "handout_name": "fileName",
    "handout_size": "size",
}
_BLOB = "blob/{blob_id}/{file_name}/{file_guid}"
_ATTRIBUTES = [{"fieldName": "{attribute_names}", "value": "{attribute_values}"}]


def _row(method: str, path: str, values: str = "", needs: str = "", tells: str = "", **fields: Any) -> Operation:
    """A row that may use what it uses by default and `values`, and must use what its path names and `needs`.

    Its answer must have a place for each that `tells` names.
    """
    plain = Operation(method=method, path=path, **fields)
    in_path = frozenset(PLACEHOLDER.findall(path))
    required = in_path | frozenset(needs.split())
    known = plain.named() | frozenset(values.split())
    return replace(plain, values=known, required=required, tells=frozenset(tells.split()))


RECEIPT_ATTRIBUTE = "ZoomsyncReceipt"
"""The custom attribute in which a media says what it holds."""

TABLE: Mapping[str, Operation] = {
    "sign_in": _row(
        "POST",
        "user/authenticate",
        needs="email",
        body={
            "emailAddress": "{email}",
            "password": "{password}",
            "clientSecret": "{client_secret}",
            "applicationId": "{application_id}",
        },
        answer={"token": "."},
        tells="token",
        confirmed=True,
        writes=False,
    ),
    "user_find": _row(
        "POST",
        "user/search",
        needs="email",
        values="offset",
        body={"keyword": "{email}", "pageIndex": "{page}", "pageSize": "{page_size}"},
        answer={"found": "users", "total": "totalCount", **_USER},
        tells="found id email",
        writes=False,
    ),
    "user_create": _row(
        "POST",
        "user",
        needs="email",
        body={
            "emailAddress": "{email}",
            "firstName": "{first_name}",
            "lastName": "{last_name}",
            "groups": [{"id": "{group}"}],
            "sendInvitation": "{invitation}",
        },
        answer=_USER,
        tells="id",
        repeatable=False,
    ),
    "user_invite": _row("POST", "user/{user}/invitation", repeatable=False),
    "group_list": _row(
        "GET",
        "group",
        answer={"found": "groups", "id": "id", "name": "name"},
        tells="found id name",
        writes=False,
    ),
    "group_add_user": _row("POST", "group/{group}/user/{user}"),
    "upload_start": _row("PUT", _BLOB, query={"comp": "initialize"}, values="size", confirmed=True),
    "upload_block": _row(
        "PUT",
        _BLOB,
        needs="block_id|block_number",
        query={"comp": "block", "blockid": "{block_id}"},
        body=BYTES,
        values="block_number",
    ),
    "upload_status": _row("GET", _BLOB, query={"comp": "blocklist"}, answer={"blocks": "blockIds"}, writes=False),
    "upload_commit": _row(
        "PUT", _BLOB, query={"comp": "commit"}, body={"blockIds": "{block_ids}"}, answer={"size": "size"}, values="size"
    ),
    "media_create": _row(
        "POST",
        "mashup",
        needs="title status author file_guid attribute_names attribute_values",
        values="file_size",
        body={
            "title": "{title}",
            "description": "{description}",
            "format": "{format}",
            "status": "{status}",
            "author": {"id": "{author}"},
            "category": {"id": "{category}"},
            "tags": [{"name": "{tags}"}],
            "customAttributes": _ATTRIBUTES,
            "content": {"fileGuid": "{file_guid}", "fileName": "{file_name}", "size": "{file_size}"},
        },
        answer={"id": "id"},
        tells="id",
        repeatable=False,
    ),
    "media_get": _row("GET", "mashup/{media}", answer=_MEDIA, tells="id status", writes=False),
    "media_update": _row(
        "PUT",
        "mashup/{media}",
        needs="attribute_names attribute_values",
        query={"parts": "{parts}"},
        body={"customAttributes": _ATTRIBUTES, "status": "{status}"},
    ),
    "media_search": _row(
        "POST",
        "mashup/search",
        needs="keyword statuses",
        values="offset",
        body={
            "pageSize": "{page_size}",
            "pageIndex": "{page}",
            "isGlobal": True,
            "keyword": "{keyword}",
            "status": "{statuses}",
            "mashupSearchParts": ["CustomAttributes", "Tags"],
        },
        answer={
            "found": "mashups",
            "total": "totalCount",
            "id": "id",
            **{name: _MEDIA[name] for name in ("attributes", "attribute_name", "attribute_value")},
        },
        tells="found id",
        confirmed=True,
        writes=False,
    ),
    "caption_add": _row(
        "POST",
        "mashup/{media}/caption",
        needs="file_guid",
        values="file_size",
        body={"culture": "{culture}", "content": {"fileGuid": "{file_guid}", "fileName": "{file_name}"}},
        repeatable=False,
    ),
    "handout_add": _row(
        "POST",
        "mashup/{media}/handout",
        needs="file_guid",
        body={"content": {"fileGuid": "{file_guid}", "fileName": "{file_name}", "size": "{file_size}"}},
        repeatable=False,
    ),
    "category_list": _row(
        "GET",
        "category",
        answer={"found": "categories", "id": "id", "name": "name"},
        tells="found id name",
        writes=False,
    ),
    "attribute_list": _row(
        "GET", "custom-attributes", answer={"found": ".", "name": "fieldName"}, tells="found name", writes=False
    ),
    "attribute_create": _row(
        "POST",
        "custom-attributes",
        needs="field",
        body=[
            {
                "fieldName": "{field}",
                "fieldTypeId": "Text",
                "isMandatory": "false",
                "displayable": "{displayable}",
                "searchable": "{searchable}",
            }
        ],
        confirmed=True,
        repeatable=False,
    ),
}
"""By name."""
