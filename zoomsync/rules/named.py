"""How a person names meetings, alike on the command line and in the config. Pure.

A uuid names one meeting; `[1857a920]`, the end of its folder's name, does too. A number as people write it
(`812 3456 7890`) names every occurrence, `81234567890@2026-03-02` those of that day in the config's time zone.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date
from typing import Self

from zoomsync.model import Entry, Meeting
from zoomsync.naming import known_zone, suffix

FORMS = "a uuid, a number (812 3456 7890), number@2026-03-02, or [1857a920] of its folder"
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)
_SUFFIX = re.compile(r"\[[0-9a-f]{8}\]|[0-9a-f]{8}", re.ASCII)
_UUID = re.compile(r"[^\s@\[\]]+")


def problem_with(what: str) -> str:
    """Why this text names no meeting; `""` if it can."""
    number, at, day = _number_and_day(what)
    is_number = _NUMBER.fullmatch(number) is not None
    if at:
        is_right = is_number and _day(day) is not None
    else:
        is_right = is_number or any(pattern.fullmatch(what.strip()) for pattern in (_SUFFIX, _UUID))
    return "" if is_right and what.strip(". ") else f"{what!r} names no meeting: write {FORMS}"


class Named:
    """The meetings that some texts name: `meeting in named`."""

    def __init__(self, whats: Iterable[str] = (), timezone: str = "UTC") -> None:
        self.whats = tuple(dict.fromkeys(whats))
        self._timezone = timezone
        self.uuids, self.suffixes = set[str](), set[str]()
        self.numbers, self.days = set[str](), set[tuple[str, date]]()
        for what in self.whats:
            number, at, day = _number_and_day(what)
            if at and (on := _day(day)):
                self.days.add((number, on))
                continue
            self.uuids.add(what.strip())
            if _NUMBER.fullmatch(number):
                self.numbers.add(number)
            if _SUFFIX.fullmatch(what.strip()):
                self.suffixes.add(what.strip("[] "))

    def __contains__(self, one: Entry | Meeting) -> bool:
        """Whether one of the texts names this meeting."""
        if one.uuid in self.uuids or one.number in self.numbers:
            return True
        if self.suffixes and suffix(one.uuid) in self.suffixes:
            return True
        return bool(self.days) and (one.number, self._day_of(one)) in self.days

    def __bool__(self) -> bool:
        return bool(self.whats)

    def __len__(self) -> int:
        return len(self.whats)

    @property
    def number(self) -> str:
        """The number that Zoom can be asked for, if the first text has one."""
        return next(iter((*self.numbers, *(number for number, _ in self.days))), "")

    @property
    def is_folder(self) -> bool:
        """Whether a text is the end of a folder's name, of which Zoom knows nothing."""
        return bool(self.suffixes)

    def within(self, timezone: str) -> Self:
        """The same, with days in this time zone."""
        return type(self)(self.whats, timezone)

    def each(self) -> list[tuple[str, Self]]:
        """Each text, and the meetings that it alone names."""
        return [(what, type(self)((what,), self._timezone)) for what in self.whats]

    def _day_of(self, one: Entry | Meeting) -> date:
        """On which day it began, where the config wants dates to be; UTC if its own zone is wanted and not known."""
        name = one.timezone if self._timezone == "meeting" else self._timezone
        return one.start.astimezone(known_zone(name) or UTC).date()


NO_MEETINGS = Named()


def _number_and_day(what: str) -> tuple[str, str, str]:
    number, at, day = what.partition("@")
    return re.sub(r"[\s-]", "", number), at, day.strip()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
