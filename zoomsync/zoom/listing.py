"""Lists from Zoom, page by page, and what one window of recordings came to."""

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


def lack(found: Sequence[Page]) -> int:
    """How many entries fewer the pages hold than Zoom counts; the last page counts last."""
    total = next((page.total for page in reversed(found) if page.total is not None), 0)
    names = [wire.text(entry.get("uuid")) for page in found for entry in page.entries]
    return total - len({name for name in names if name}) - names.count("")


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
