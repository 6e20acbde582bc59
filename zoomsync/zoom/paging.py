"""Whether a list that comes in pages is whole, and whether it ever ends. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from zoomsync.zoom.parse import Page, text

MOST_PAGES = 1000
"""Pages of a list at most, if Zoom does not count what is in it."""
MOST_LISTED = 50_000
"""A window of which Zoom counts more is listed in parts: all of it is in memory, and a page token lives 15 min."""
SHORTEST_PART = timedelta(days=3)
"""Lists have whole days, and windows overlap: a shorter one would hardly have less."""
EMPTY_PAGES = 2
"""So many pages in a row may be empty and still name a next one."""


class Chain:
    """The pages of one reading of a list, each named by the one before; entries are named by the first of `keys`.

    A chain may never end, by a token that repeats (seen, undocumented) or by ever new ones:
    https://github.com/lanec/zoom-batch-downloader/issues/26
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self.pages: list[Page] = []
        self._keys = keys
        self._tokens = {""}
        self._names = set[str]()
        self._empty = 0
        """How many of the last pages were empty."""

    def add(self, page: Page) -> str:
        """One more page, which names a next one; returns why that leads nowhere, `""` if it may lead on."""
        before, is_known = len(self._names), page.next_token in self._tokens
        self.pages.append(page)
        self._tokens.add(page.next_token)
        self._names.update(names([page], self._keys))
        self._empty = 0 if page.entries else self._empty + 1
        counted = max(one.total or 0 for one in self.pages[-2:])
        if is_known:
            return "a page token repeats"
        if len(self._names) == before and (page.entries or self._empty > EMPTY_PAGES):
            return "a page brings nothing new"
        if counted and len(self._names) > counted + len(self.pages[0].entries):
            return f"more comes than the {counted:,} that Zoom counts"
        return f"more than {MOST_PAGES:,} pages come" if len(self.pages) >= MOST_PAGES else ""


def names(pages: Sequence[Page], keys: Sequence[str]) -> list[str]:
    """What names each entry: the first of `keys` that it has, else its place and all of it."""
    entries = enumerate(entry for page in pages for entry in page.entries)
    return [next((name for key in keys if (name := text(one.get(key)))), f"{place}: {one}") for place, one in entries]


def lack(pages: Sequence[Page], keys: Sequence[str], before: Sequence[Page] = ()) -> tuple[int, int]:
    """How many entries fewer the pages hold than Zoom counts as `total_records`, and that; the last page counts last.

    An entry that stands there twice slid to the next page while it was read, and another may have slid away; unless the
    reading `before` repeats the very same: then Zoom counts it twice.
    """

    def repeated(pages: Sequence[Page]) -> Mapping[str, int]:
        return {name: times - 1 for name, times in Counter(names(pages, keys)).items() if times > 1}

    total = next((page.total for page in reversed(pages) if page.total is not None), 0)
    twice = repeated(pages)
    missing = total - sum(len(page.entries) for page in pages)
    return (missing if twice == repeated(before) else missing + sum(twice.values())), total
