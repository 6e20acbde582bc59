"""What a destination holds of a meeting before anything is fetched: by the state's word, or found and looked at."""

import logging
from dataclasses import replace
from typing import Protocol

from zoomsync import plan
from zoomsync.errors import MeetingFailed, RemovedByPerson, Unsettled
from zoomsync.model import Receipt, StoredFile, Verdict

log = logging.getLogger(__name__)


class Holder(Protocol):
    """A destination, as far as looking goes; see `shop.Destination`."""

    def find(self, uuid: str, known: Receipt | None = None) -> Receipt | None:
        """The receipt of what there is of this meeting's item."""

    def verify(self, receipt: Receipt) -> Verdict:
        """Look at the stored files again."""


def known_to_be(job: plan.Publish, destination: Holder) -> Receipt | None:
    """What is stored by now: more than the state knows, where a pass was killed before it wrote that down."""
    try:
        found = destination.find(job.meeting.uuid, job.previous)
    except (Unsettled, RemovedByPerson):
        raise
    except MeetingFailed:  # the state knows it all the same; publishing says what is in the way, if anything is
        return job.previous
    return found if found is not None and ids(job.previous) < ids(found) else job.previous


def found_whole(job: plan.Publish, destination: Holder, known: Receipt | None) -> Receipt | None:
    """What is there and whole of a meeting: looked at before it is trusted, also where it is `known` to the state."""
    found = destination.find(job.meeting.uuid, known)
    available = {file.id for file in job.files}
    _require_main(known, found.files if found is not None else (), job)
    if found is None:
        return None
    verdict = destination.verify(found)
    if not (verdict.safe or verdict.lacking or verdict.passing or verdict.silent):
        raise MeetingFailed(f"{found.place}: {verdict.reason}", hint="look at it there; deleted, it is begun anew")
    broken = [file for file in found.files if file.name in verdict.lacking]
    again = {one for file in broken if set(file.made_of) <= available for one in file.made_of}
    if broken and not again:
        raise RemovedByPerson(f"{found.place}: {verdict.reason}, and Zoom has nothing left to make it of")
    files = tuple(file for file in found.files if file.name not in verdict.lacking)
    _require_main(known, files, job)
    names = {file.name for file in files}
    cloud = tuple(one for one in found.cloud if one.stored in names and one.id not in again)
    return replace(found, files=files, cloud=cloud)


def _require_main(known: Receipt | None, files: tuple[StoredFile, ...], job: plan.Publish) -> None:
    """Raise `RemovedByPerson` where a video or sound that the state knows is gone, and Zoom does not have it either.

    Where nothing of the kind is left there, what Zoom still has begins the item anew.
    """
    there = {file.role for file in files}
    in_zoom = {file.id for file in job.meeting.files}
    gone = [file for file in (known.files if known is not None else ()) if file.role not in there]
    lost = [file.name for file in gone if _is_main(file.role) and not set(file.made_of) <= in_zoom]
    if not lost:
        return
    if not any(map(_is_main, there)) and any(file.kind.is_media for file in job.files):
        log.warning("begun anew without all that %s was made of: Zoom does not have it any more", ", ".join(lost))
        return
    raise RemovedByPerson(
        f"{lost[0]} is gone, and Zoom has nothing left to make it of",
        hint="look into Zoom's trash (30 days); where the rest is deleted there, the item is begun anew",
    )


def _is_main(role: str) -> bool:
    return role.startswith(("video", "audio", "segments/"))


def ids(receipt: Receipt | None) -> set[str]:
    """Of the cloud files that it covers."""
    return {one.id for one in receipt.cloud} if receipt is not None else set()


def contents(receipt: Receipt | None) -> set[tuple[str, str]]:
    """The cloud files that it covers, each with its content: one that Zoom changed counts as new."""
    return {(one.id, one.sha256) for one in receipt.cloud} if receipt is not None else set()
