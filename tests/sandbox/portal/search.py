"""The search of media: behind an index, by keyword, page by page, only in the states that are listed."""

import re
from collections.abc import Collection
from typing import Any

from tests.sandbox.message import Answer, json_answer
from tests.sandbox.portal.call import Call, Check, Refused, is_count, is_flag, is_text, list_of, one_of
from tests.sandbox.portal.envelope import enclosed
from tests.sandbox.portal.media import STATUSES, Catalogue, Media
from tests.sandbox.portal.settings import PortalSettings
from tests.sandbox.portal.showing import Showing

PARTS = ("Title", "Description", "Tags", "CustomAttributes", "Category", "Author")
"""Where a search can be made to look; into titles and descriptions it always does."""
PLAIN = r"[\w@. -]*"
"""A keyword without signs."""
REST: dict[str, Check] = {
    "isGlobal": is_flag,
    "keyword": is_text,
    "status": list_of(one_of(*STATUSES)),
    "mashupSearchParts": list_of(one_of(*PARTS)),
}


class Search:
    """`media_search`."""

    def __init__(self, settings: PortalSettings, catalogue: Catalogue, showing: Showing) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._showing = showing

    def answer(self, call: Call) -> Answer:
        """One page of what matches, newest first."""
        asked = call.fields({"pageSize": is_count, self._place: is_count}, REST)
        states = asked.get("status") or ["Published"]
        keyword, parts = asked.get("keyword", ""), asked.get("mashupSearchParts", ())
        self._is_taken(keyword)
        own = "" if asked.get("isGlobal") else call.caller.id
        seen = [one for one in self._known() if own in ("", one.author) and self._is_listed(one, states)]
        found = [one for one in seen if self._matches(one, keyword, parts)]
        page = self._page(found, asked)
        entries = [self._showing.found(one, parts) for one in page]
        return json_answer(enclosed(self._settings.search_envelope, entries, len(found)))

    @property
    def _place(self) -> str:
        return "offset" if self._settings.paging == "offset" else "pageIndex"

    def _page(self, found: list[Media], asked: dict[str, Any]) -> list[Media]:
        size = max(1, min(asked["pageSize"], self._settings.page_cap))
        start = asked[self._place] * (size if self._settings.paging == "pages" else 1)
        return found[start : start + size]

    def _known(self) -> list[Media]:
        return self._catalogue.indexed(self._settings.clock(), self._settings.index_lag)[::-1]

    def _is_listed(self, media: Media, states: Collection[str]) -> bool:
        """By its state; one that nobody can ask for hides from no search."""
        status = self._showing.status(media)
        return status in states or status not in STATUSES

    def _is_taken(self, keyword: str) -> None:
        if self._settings.keyword == "refusing" and not re.fullmatch(PLAIN, keyword):
            raise Refused(400, "InvalidSearchException", "keyword: letters and digits alone")

    def _matches(self, media: Media, keyword: str, parts: Collection[str]) -> bool:
        if self._settings.keyword == "ignored" or not keyword.strip():
            return True
        if self._settings.keyword == "plain" and not re.fullmatch(PLAIN, keyword):
            return False
        tags = media.tags if "Tags" in parts else ()
        attributes = self._attributes(media) if "CustomAttributes" in parts else ()
        text = " ".join((media.title, media.description, *tags, *attributes)).lower()
        if self._settings.keyword == "words":
            return bool(set(re.findall(r"\w+", keyword.lower())) & set(re.findall(r"\w+", text)))
        return keyword.lower() in text

    def _attributes(self, media: Media) -> list[str]:
        known = {name: self._catalogue.attribute(name) for name in media.attributes}
        return [str(media.attributes[name]) for name, one in known.items() if one and one.is_searchable]
