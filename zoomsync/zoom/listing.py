"""Lists from Zoom, page by page, and what one window of recordings came to."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from zoomsync.model import Meeting
from zoomsync.zoom import recordings, wire
from zoomsync.zoom.recordings import Nonsense, Page
from zoomsync.zoom.wire import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Every recording of one window."""

    meetings: tuple[Meeting, ...]
    """Each uuid once, in Zoom's order."""
    unreadable: tuple[str, ...] = ()
    """What Zoom lists but no meeting can be made of, in words: to be reported."""

    def __add__(self, other: "Listing") -> "Listing":
        return Listing(
            meetings=recordings.merged((*self.meetings, *other.meetings)),
            unreadable=tuple(dict.fromkeys((*self.unreadable, *other.unreadable))),
        )


class Interrupted(Exception):
    """The chain of pages broke: the list has to be begun again."""


def pages(ask: Callable[[Mapping[str, str]], Answer], name: str) -> Iterator[Page]:
    """The pages of a list whose entries are under `name`; `ask` sends a page's own parameters.

    Raises `Interrupted` where a page token died (they live 15 minutes) or repeats, `Nonsense` for no list.
    """
    token, seen = "", {""}
    while True:
        answer = ask({"next_page_token": token} if token else {})
        if answer.code == wire.PAGE_EXPIRED:
            raise Interrupted("its page token died")
        page = recordings.page(answer.document or {}, name)
        yield page
        if not page.next_token:
            return
        if page.next_token in seen:
            raise Interrupted("a page token repeats")
        seen.add(token := page.next_token)


def lack(found: Sequence[Page], keys: Sequence[str], before: Sequence[Page] = ()) -> int:
    """How many entries fewer the pages hold than Zoom counts; the last page counts last.

    An entry is named by the first of `keys` that it has. One that stands there twice slid to the next page, unless the
    reading `before` repeats the very same: then Zoom counts it twice.
    """
    total = next((page.total for page in reversed(found) if page.total is not None), 0)
    entries = sum(len(page.entries) for page in found)
    repeated = _repeated(found, keys)
    return total - entries + (0 if repeated == _repeated(before, keys) else sum(repeated.values()))


def _repeated(found: Sequence[Page], keys: Sequence[str]) -> Mapping[str, int]:
    """Name → how often it stands there besides the first time."""
    named = (
        next(filter(None, (wire.text(entry.get(key)) for key in keys)), "") for page in found for entry in page.entries
    )
    return {name: times - 1 for name, times in Counter(named).items() if name and times > 1}


def gather(found: Sequence[Page], listed_at: datetime, host_email: str) -> Listing:
    """The meetings on the pages."""
    meetings, unreadable = [], []
    for page in found:
        for entry in page.entries:
            try:
                meetings.append(recordings.meeting(entry, listed_at, host_email))
            except Nonsense as problem:
                unreadable.append(str(problem))
    return Listing(meetings=recordings.merged(meetings), unreadable=tuple(dict.fromkeys(unreadable)))
