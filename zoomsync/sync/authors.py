"""For a dry run: what publishing would do about the authors of the meetings that are due."""

import logging
from collections import Counter
from collections.abc import Iterable

from zoomsync.destinations.base import Destination
from zoomsync.errors import Forbidden, MeetingFailed
from zoomsync.model import AuthorSource, User

log = logging.getLogger(__name__)


def count_authors(hosts: Iterable[User], destination: Destination) -> Counter[AuthorSource]:
    """How many of these hosts have an author, and how many authors would be made; changes nothing.

    A host whose author the destination refuses to look up is warned of and not counted.
    """
    found: Counter[AuthorSource] = Counter()
    for host in hosts:
        try:
            found[destination.prospect(host).source] += 1
        except (Forbidden, MeetingFailed) as refused:
            log.warning("%s: author not known: %s", host.email, refused)
    return found
