"""The default rows: what zoomsync assumes of a portal until a site overrides it.

Each row names the vendor's public page that documents it. Those pages say little of the answers. The other rows are not
documented: they are shaped after these. A portal's own reference is at `https://{portal}/api/v1/doc/index.html`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zoomsync.destinations.vidizmo.templates import BYTES, PLACEHOLDER, Meaning, Operation

# Of a user, not documented: assumed.
_USER = {
    "id": "id",
    "email": "emailAddress",
    "active": "isActive",
    "last_login": "lastLoginDate",
    "groups": "groups",
    "group_name": "name",
}
# https://help.vidizmo.com/support/solutions/articles/17000110563-api-reference-guide-mashupinfo-object has id, author,
# status, size, version (raised by every update), updatedDate, estimatedDuration. The rest is not documented: assumed.
# Article 17000110694 (the object contentInfo) has captions deeper, and a text says whether it is transcoded: where an
# answer has these, they come first.
_MEDIA = {
    "id": "id",
    "status": "status",
    "author": "author.emailAddress",
    "size": "size",
    "sha256": "",
    "processed": "content.0.contentStatus|isProcessed",
    "deleted": "content.0.isDeleted",
    "version": "version",
    "updated": "updatedDate",
    "duration": "estimatedDuration",
    "attributes": "customAttributes",
    "attribute_name": "fieldName",
    "attribute_value": "value",
    "captions": "content.*.contentDetails.closedCaptions|captions",
    "caption_culture": "culture",
    "caption_name": "fileName",
    "handouts": "handouts",
    "handout_name": "fileName",
    "handout_size": "size",
}
_MEANINGS = {
    "processed": Meaning(yes=("Completed", "true"), gone=("Deleted", "Purged")),
    "size": Meaning(),
}
_BLOB = "blob/{blob_id}/{file_name}/{file_guid}"
_ATTRIBUTES = [{"fieldName": "{attribute_names}", "value": "{attribute_values}"}]


def _row(method: str, path: str, values: str = "", needs: str = "", places: str = "", **fields: Any) -> Operation:
    """A row that may use what it uses by default and `values`, and must use what its path names and `needs`.

    Its answer must have each of `places`. Each argument is a text of names with spaces between them.
    """
    plain = Operation(method=method, path=path, **fields)
    return replace(
        plain,
        values=plain.names | {*values.split()},
        required=frozenset({*PLACEHOLDER.findall(path), *needs.split()}),
        required_places=frozenset(places.split()),
    )


RECEIPT_ATTRIBUTE = "ZoomsyncReceipt"
"""The custom attribute in which a media item keeps its own part of the receipt."""

TABLE: Mapping[str, Operation] = {
    # https://help.vidizmo.com/support/solutions/articles/17000111344-using-rest-api-acquire-access-token-for-authentication
    # The application's id: article 17000124584 on authentication apps.
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
        places="token",
        confirmed=True,
        writes=False,
    ),
    # not documented: assumed
    "user_find": _row(
        "POST",
        "user/search",
        needs="email",
        values="offset",
        body={"keyword": "{email}", "pageIndex": "{page}", "pageSize": "{page_size}"},
        answer={"found": "users", "total": "totalCount", **_USER},
        places="found id email",
        writes=False,
    ),
    # not documented: assumed
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
        places="id",
        repeatable=False,
    ),
    # not documented: assumed
    "user_invite": _row("POST", "user/{user}/invitation", repeatable=False),
    # not documented: assumed
    "group_list": _row(
        "GET", "group", answer={"found": "groups", "id": "id", "name": "name"}, places="found id name", writes=False
    ),
    # not documented: assumed
    "group_add_user": _row("POST", "group/{group}/user/{user}"),
    # https://vidsupport.freshdesk.com/support/solutions/articles/17000136717-using-rest-api-uploading-content
    "upload_start": _row("PUT", _BLOB, query={"comp": "initialize"}, values="size", confirmed=True),
    # That article has blocks and a commit as the next steps. Not documented: all details of them, assumed.
    "upload_block": _row(
        "PUT",
        _BLOB,
        needs="block_id|block_number",
        query={"comp": "block", "blockid": "{block_id}"},
        body=BYTES,
        values="block_number",
    ),
    # not documented: assumed
    "upload_status": _row("GET", _BLOB, query={"comp": "blocklist"}, answer={"blocks": "blockIds"}, writes=False),
    "upload_commit": _row(
        "PUT", _BLOB, query={"comp": "commit"}, body={"blockIds": "{block_ids}"}, answer={"size": "size"}, values="size"
    ),
    # Article 17000136717 has such a call. Not documented: its path and body, assumed.
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
        places="id",
        repeatable=False,
    ),
    # not documented: assumed
    "media_get": _row("GET", "mashup/{media}", answer=_MEDIA, meanings=_MEANINGS, places="id status", writes=False),
    # Article 17000136773 has such a call. Not documented: its path and body, assumed.
    "media_update": _row(
        "PUT",
        "mashup/{media}",
        needs="attribute_names attribute_values",
        query={"parts": "{parts}"},
        body={"customAttributes": _ATTRIBUTES, "status": "{status}"},
    ),
    # https://help.vidizmo.com/support/solutions/articles/17000136886-using-rest-api-search-mashup
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
        places="found id",
        confirmed=True,
        writes=False,
    ),
    # not documented: assumed
    "caption_add": _row(
        "POST",
        "mashup/{media}/caption",
        needs="file_guid",
        values="file_size",
        body={"culture": "{culture}", "content": {"fileGuid": "{file_guid}", "fileName": "{file_name}"}},
        repeatable=False,
    ),
    # not documented: assumed
    "handout_add": _row(
        "POST",
        "mashup/{media}/handout",
        needs="file_guid",
        body={"content": {"fileGuid": "{file_guid}", "fileName": "{file_name}", "size": "{file_size}"}},
        repeatable=False,
    ),
    # not documented: assumed
    "category_list": _row(
        "GET",
        "category",
        answer={"found": "categories", "id": "id", "name": "name"},
        places="found id name",
        writes=False,
    ),
    # not documented: assumed
    "attribute_list": _row(
        "GET", "custom-attributes", answer={"found": ".", "name": "fieldName"}, places="found name", writes=False
    ),
    # https://help.vidizmo.com/support/solutions/articles/17000136773-using-rest-api-update-mashup-with-custom-attributes
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
