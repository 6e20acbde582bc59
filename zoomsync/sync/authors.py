"""What publishing would do about the authors of meetings, for a dry run: each host is asked about once."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from zoomsync.destinations.base import Destination
from zoomsync.errors import Forbidden, MeetingFailed
from zoomsync.model import Meeting, User

log = logging.getLogger(__name__)


class AuthorForecast:
    """Counts `author_…` for each host, by the standing of its author."""

    def __init__(self, destination: Destination, counts: Counter[str]) -> None:
        self._destination = destination
        self._counts = counts
        self._seen: set[str] = set()

    def look(self, meetings: Iterable[Meeting], users: Mapping[str, User]) -> None:
        """Ask about the hosts of these meetings; one whom the destination refuses to look up is told of."""
        for meeting in meetings:
            if meeting.host_id not in self._seen:
                self._seen.add(meeting.host_id)
                self._count(users.get(meeting.host_id) or meeting.host)

    def _count(self, host: User) -> None:
        try:
            author = self._destination.prospect(host)
        except (Forbidden, MeetingFailed) as refused:
            log.warning("%s: author not known: %s", host.email, refused)
        else:
            self._counts[f"author_{author.standing}"] += 1
