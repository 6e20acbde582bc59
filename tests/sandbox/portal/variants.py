"""Portals that differ: how each behaves, and what a site writes below `destination` because of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.config import laid_over
from tests.sandbox.portal.settings import UPLOADING


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One kind of portal: `Portal(**settings)`, `portal.config(**destination)`."""

    settings: Mapping[str, Any]
    destination: Mapping[str, Any] = field(default_factory=dict)


def _found_at(place: str, total: str) -> dict[str, Any]:
    return {"answer": {"found": place, "total": total}}


def combined(*names: str) -> Variant:
    """A portal that differs in several ways, which must not contradict each other."""
    every = [VARIANTS[name] for name in names]
    settings = [(key, value) for one in every for key, value in one.settings.items()]
    assert len(dict(settings)) == len({(key, repr(value)) for key, value in settings}), names
    destination: dict[str, Any] = {}
    for one in every:
        destination = laid_over(destination, one.destination)
    return Variant(settings=dict(settings), destination=destination)


BY_OFFSET = {
    "pageSize": "{page_size}",
    "offset": "{offset}",
    "isGlobal": True,
    "keyword": "{keyword}",
    "status": "{statuses}",
    "mashupSearchParts": ["CustomAttributes", "Tags"],
}
VARIANTS: Mapping[str, Variant] = {
    "plain": Variant(settings={}),
    "lists elsewhere": Variant(
        settings={"search_envelope": "data.items", "users_envelope": "data.people"},
        destination={
            "endpoints": {
                "media_search": _found_at("data.items", "data.totalCount"),
                "user_find": _found_at("data.people", "data.totalCount"),
            }
        },
    ),
    "bare lists": Variant(
        settings={"search_envelope": "", "users_envelope": ""},
        destination={"endpoints": {"media_search": _found_at(".", ""), "user_find": _found_at(".", "")}},
    ),
    "ids as strings": Variant(settings={"ids": "strings"}),
    "ids of both kinds": Variant(settings={"ids": "mixed"}),
    "pageIndex counts items": Variant(settings={"paging": "items", "page_cap": 2, "keyword": "ignored"}),
    "offset": Variant(
        settings={"paging": "offset", "page_cap": 2, "keyword": "ignored"},
        destination={"endpoints": {"media_search": {"body": BY_OFFSET}}},
    ),
    "a search for words": Variant(settings={"keyword": "words"}),
    "a search that chokes on signs": Variant(settings={"keyword": "plain"}),
    "a search that tells no attributes": Variant(settings={"search_attributes": "none"}),
    "a search that shows attributes as empty": Variant(settings={"search_attributes": "empty"}),
    "whole addresses": Variant(settings={"finds_in_names": False}),
    "a token without quotes": Variant(settings={"token_form": "bare"}),
    "tokens that end with a 401": Variant(settings={"expired_status": 401, "single_session": True}),
    "roles": Variant(
        settings={"membership": "roles"},
        destination={"groups": {"viewer": "Viewer", "contributor": "Contributor", "uploading": list(UPLOADING)}},
    ),
    "groups of other names": Variant(
        settings={"renamed": {"Viewer": "Zuschauer", "Contributor": "Mitwirkende", "Content Manager": "Redaktion"}},
        destination={
            "groups": {"viewer": "Zuschauer", "contributor": "Mitwirkende", "uploading": ["Mitwirkende", "Redaktion"]}
        },
    ),
    "moderation": Variant(settings={"moderation": True, "service_group": "Contributor", "approval": 0}),
    "blocks listed backwards": Variant(settings={"block_list": "reversed"}),
    "blocks listed twice": Variant(settings={"block_list": "repeated"}),
    "no list of blocks": Variant(settings={"block_list": "unsupported"}),
    "captions take the place of others": Variant(settings={"captions_replace": True}),
    "contents in detail": Variant(settings={"contents": True}),
    "operations elsewhere": Variant(
        settings={"paths": {"media_get": ("GET", "media/{id}"), "user_find": ("POST", "people/find")}},
        destination={"endpoints": {"media_get": {"path": "media/{media}"}, "user_find": {"path": "people/find"}}},
    ),
}
"""By name. What passes with time (tokens, index, transcoding) and what runs out is for each test to set."""
