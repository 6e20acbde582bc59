"""What is stored of a meeting, looked at before it is trusted."""

import logging
from dataclasses import replace

from zoomsync.destinations.base import Destination
from zoomsync.errors import MeetingFailed, OutcomeUnknown, RemovedByPerson
from zoomsync.model import Receipt, StoredFile
from zoomsync.rules.publish import Publish

log = logging.getLogger(__name__)


def known_receipt(uuid: str, known: Receipt, destination: Destination) -> Receipt:
    """What is stored by now: more than the state knows, if a pass was killed before it wrote that down."""
    try:
        found = destination.find(uuid, known)
    except (OutcomeUnknown, RemovedByPerson):
        raise
    except MeetingFailed:  # the state knows it all the same; publishing says what is in the way, if anything is
        return known
    if found is None:
        return known
    is_newer = {one.id for one in known.cloud} < {one.id for one in found.cloud}
    return found if is_newer else replace(known, place=found.place)


def verified_receipt(job: Publish, destination: Destination, known: Receipt | None) -> Receipt | None:
    """What is there and whole of a meeting: looked at before it is trusted, also if it is `known` to the state."""
    found = destination.find(job.meeting.uuid, known)
    _require_main(known, found.files if found is not None else (), job)
    if found is None:
        return None
    verdict = destination.verify(found)
    if not (verdict.safe or verdict.lacking or verdict.passing or verdict.silent):
        raise MeetingFailed(
            f"{found.place}: {verdict.reason}", hint="look at it there; once it is deleted, the item is made again"
        )
    available = {file.id for file in job.files}
    broken = [file for file in found.files if file.name in verdict.lacking]
    again = {one for file in broken if set(file.made_of) <= available for one in file.made_of}
    if broken and not again:
        raise RemovedByPerson(f"{found.place}: {verdict.reason}, and Zoom has nothing left to make it of")
    files = tuple(file for file in found.files if file not in broken)
    _require_main(known, files, job)
    names = {file.name for file in files}
    cloud = tuple(one for one in found.cloud if one.stored in names and one.id not in again)
    return replace(found, files=files, cloud=cloud)


def _require_main(known: Receipt | None, files: tuple[StoredFile, ...], job: Publish) -> None:
    """Raise `RemovedByPerson` if a video or sound that the state knows is gone, and Zoom does not have it either.

    If nothing of the kind is left there, what Zoom still has begins the item again.
    """
    there = {file.role for file in files}
    in_zoom = {file.id for file in job.meeting.files}
    gone = [file for file in (known.files if known is not None else ()) if file.role not in there]
    lost = [file.name for file in gone if file.role.is_main and not set(file.made_of) <= in_zoom]
    if not lost:
        return
    if not any(role.is_main for role in there) and any(file.kind.is_media for file in job.files):
        log.warning("made again without all that %s was made of: Zoom does not have it any more", ", ".join(lost))
        return
    raise RemovedByPerson(
        f"{lost[0]} is gone, and Zoom has nothing left to make it of",
        hint="look into Zoom's trash (30 days); once the rest is deleted there, the item is made again",
    )
