"""One meeting: fetch what is new, make the item, publish it. Runs in a worker; writes no state."""

import logging
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from zoomsync.destinations.base import Destination
from zoomsync.errors import (
    DownloadFailed,
    MeetingFailed,
    OutcomeUnknown,
    PartlyStored,
    RemovedByPerson,
    StillProcessing,
    Unstitchable,
)
from zoomsync.files import STAGING
from zoomsync.item.build import BuildContext, Materials, Style, build_item
from zoomsync.item.disk import Disk, Reservation, device
from zoomsync.media import mp4
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.probe import probe
from zoomsync.model import (
    Author,
    Clock,
    Entry,
    Fetched,
    Meeting,
    Phase,
    Receipt,
    RecordingFile,
    Role,
    StoredFile,
    User,
    Zoom,
)
from zoomsync.naming import suffix
from zoomsync.rules.layout import How, extension, wanted
from zoomsync.rules.ledger import Done
from zoomsync.rules.publish import STALE, Decision, Publish, Rules, Skip, Wait, decide, decide_gone, is_requested
from zoomsync.rules.segments import VIEWS
from zoomsync.rules.update import Arrangement, arrange


def tidy(folder: Path, entries: Iterable[Entry]) -> None:
    """Remove the staging folders of meetings that are not open; nothing else is touched. Raises `Unfit`."""
    keep = {suffix(entry.uuid) for entry in entries if entry.phase is Phase.WAITING or entry.retry or entry.pending}
    with STAGING.explained(folder):
        for one in folder.iterdir() if folder.is_dir() else ():
            if one.is_dir() and not one.is_symlink() and _is_ours(one.name) and one.name not in keep:
                shutil.rmtree(one)


def _is_ours(name: str) -> bool:
    return len(name) == 8 and all(c in "0123456789abcdef" for c in name)


log = logging.getLogger(__name__)


class Fetcher(Protocol):
    """Brings one file to staging."""

    def fetch(self, meeting: Meeting, file: RecordingFile, folder: Path, progress: Callable[[int], None]) -> Fetched:
        """The proven file; raises `DownloadFailed`, `DiskFull`, `Unreachable`, `NotAuthorized`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """All that working on a meeting needs, shared by the workers."""

    zoom: Zoom
    fetcher: Fetcher
    destination: Destination
    tools: Tools
    staging: Path
    storage: Path | None
    """Where the destination keeps items on this machine: reserved too, when it is another file system."""
    disk: Disk
    clock: Clock
    style: Style
    views: tuple[str, ...]
    """The configured views, best first; empty: zoomsync's own order."""
    users: Mapping[str, User]
    progress: Callable[[str, int], None]
    """Called with uuid and bytes as they arrive."""


def known_receipt(job: Publish, destination: Destination) -> Receipt | None:
    """What is stored by now: more than the state knows, where a pass was killed before it wrote that down."""
    try:
        found = destination.find(job.meeting.uuid, job.previous)
    except (OutcomeUnknown, RemovedByPerson):
        raise
    except MeetingFailed:  # the state knows it all the same; publishing says what is in the way, if anything is
        return job.previous
    return found if found is not None and ids(job.previous) < ids(found) else job.previous


def verified_receipt(job: Publish, destination: Destination, known: Receipt | None) -> Receipt | None:
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


def _require_main(known: Receipt | None, files: tuple[StoredFile, ...], job: Publish) -> None:
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


def _is_main(role: Role) -> bool:
    return role.is_media or role.is_original


def ids(receipt: Receipt | None) -> set[str]:
    """Of the cloud files that it covers."""
    return {one.id for one in receipt.cloud} if receipt is not None else set()


def contents(receipt: Receipt | None) -> set[tuple[str, str]]:
    """The cloud files that it covers, each with its content: one that Zoom changed counts as new."""
    return {(one.id, one.sha256) for one in receipt.cloud} if receipt is not None else set()


TRIES = 2
"""How often a file that arrived damaged is fetched within one pass."""


def publish(job: Publish, entry: Entry | None, rules: Rules, shop: Shop) -> Done | Wait | Skip:
    """Make the destination hold this meeting; an answer instead when fresher facts say that it is not due any more."""
    fresh = _reread(job, entry, rules, shop)
    if not isinstance(fresh, Publish):
        return fresh
    is_asked = is_requested(fresh.meeting.uuid, entry, rules)
    known = entry.receipt if entry is not None else None
    known = known if known is not None and known.destination == shop.destination.id else None
    try:
        if fresh.previous is not None and not is_asked:
            known = stored = known_receipt(fresh, shop.destination)
        else:
            stored = verified_receipt(fresh, shop.destination, known)
        return Work(fresh, stored, shop, known=known, is_asked=is_asked).run()
    except OutcomeUnknown as wait:
        return Wait(reason=str(wait), due_at=wait.until)


def _as_stored(receipt: Receipt) -> Author:
    """The author that an item has already: no other one is looked up, raised or made for it."""
    return Author(id="", email=receipt.author)


def _reread(job: Publish, entry: Entry | None, rules: Rules, shop: Shop) -> Decision:
    """The job itself, or what the same rules say of a fresh reading when the listing is stale."""
    now = shop.clock.now()
    if now - job.meeting.listed_at <= STALE:
        return job
    try:
        found = shop.zoom.meeting(job.meeting.uuid)
    except StillProcessing as wait:
        return Wait(reason=str(wait))
    if found is None:
        return decide_gone(entry) if entry is not None else Skip(reason="gone from the cloud before it was fetched")
    found = replace(found, host_email=found.host_email or job.meeting.host_email)
    return decide(found, entry, replace(rules, now=now))


class Work:
    """One meeting in the works: its files arrive in a staging folder of its own."""

    def __init__(
        self, job: Publish, previous: Receipt | None, shop: Shop, *, known: Receipt | None, is_asked: bool
    ) -> None:
        self._job = job
        self._previous = previous
        self._remembered = known
        self._is_asked = is_asked
        self._shop = shop
        self._meeting = job.meeting
        self._folder = shop.staging / suffix(job.meeting.uuid)

    def run(self) -> Done:
        """Fetch, make, publish; staging is left as it is when something fails, for the next try."""
        arrangement = self._arrange(self._job.files)
        if arrangement.build or self._previous is None or self._is_asked:
            done = self._made(arrangement)
        else:
            done = self._done(self._previous, {}, {})
        shutil.rmtree(self._folder, ignore_errors=True)
        return done

    def _made(self, arrangement: Arrangement) -> Done:
        files = self._job.files
        with self._shop.disk.reserve(self._needs(arrangement), self._staged(arrangement)) as reservation:
            fetched, failed = self._fetch(arrangement, reservation)
            if failed:
                files = tuple(file for file in files if file.id not in failed)
                arrangement = self._arrange(files)
            try:
                receipt = self._publish(files, arrangement, fetched)
            except PartlyStored as partly:
                receipt = partly.receipt
                failed |= partly.lacking
        return self._done(receipt, fetched, failed)

    def _known(self, files: tuple[RecordingFile, ...]) -> tuple[RecordingFile, ...]:
        """With the files that the item was made of and that are not in the cloud any more."""
        here = {file.id for file in files}
        stored = self._previous.cloud if self._previous is not None else ()
        return (*files, *(one.as_listed() for one in stored if one.id not in here))

    def _arrange(self, files: tuple[RecordingFile, ...]) -> Arrangement:
        views = self._shop.views or VIEWS
        outputs = wanted(self._known(files), concatenate=self._shop.style.concatenate, views=views)
        can_replace = self._shop.destination.can_replace
        return arrange(outputs, self._previous, available={file.id for file in files}, can_replace=can_replace)

    def _needs(self, arrangement: Arrangement) -> dict[Path, int]:
        """Bytes per folder: the files, what is stitched of them, and a copy where items lie on another file system."""
        arriving = sum(file.size or 0 for file in arrangement.fetch)
        stitched = sum(file.size or 0 for o in arrangement.build if o.how is How.STITCH for file in o.inputs)
        needs = {self._shop.staging: arriving + 2 * stitched}
        storage = self._shop.storage
        if storage is not None and device(storage) != device(self._shop.staging):
            needs[storage] = arriving + stitched
        return needs

    def _staged(self, arrangement: Arrangement) -> int:
        """Bytes that an earlier try brought, at most what is to be fetched."""
        with STAGING.explained(self._folder):
            found = [path.stat().st_size for path in self._folder.glob("*") if path.is_file()]
        return min(sum(found), sum(file.size or 0 for file in arrangement.fetch))

    def _fetch(
        self, arrangement: Arrangement, reservation: Reservation
    ) -> tuple[dict[str, Fetched], dict[str, MeetingFailed]]:
        """All files by id; video and audio must arrive, of the others those that failed are told."""
        fetched: dict[str, Fetched] = {}
        failed: dict[str, MeetingFailed] = {}
        self._make_folder()
        for file in sorted(arrangement.fetch, key=lambda file: not file.kind.is_media):
            try:
                fetched[file.id] = self._fetch_proven(file, reservation)
            except MeetingFailed as problem:
                if file.kind.is_media:
                    raise
                failed[file.id] = problem
        return fetched, failed

    def _make_folder(self) -> None:
        with STAGING.explained(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _fetch_proven(self, file: RecordingFile, reservation: Reservation) -> Fetched:
        """A file that also is what its format says; one that is damaged is fetched once more."""
        for attempt in range(1, TRIES + 1):
            fetched = self._shop.fetcher.fetch(self._meeting, file, self._folder, self._told(reservation))
            try:
                if file.kind.is_media and extension(file) in ("mp4", "m4a"):
                    self._prove(file, fetched)
            except DownloadFailed:
                with STAGING.explained(self._folder):
                    fetched.path.unlink(missing_ok=True)
                if attempt == TRIES:
                    raise
            else:
                return fetched
        raise AssertionError("unreachable")

    def _prove(self, file: RecordingFile, fetched: Fetched) -> None:
        """Raise `DownloadFailed` for a file that is not whole, or that nobody could play."""
        try:
            mp4.check(fetched.path, fetched.size)
            probe(self._shop.tools, fetched.path, self._shop.clock)
        except (DownloadFailed, Unstitchable) as problem:
            raise DownloadFailed(f"{file.label} {file.id}: {problem}", hint=mp4.HINT) from problem

    def _told(self, reservation: Reservation) -> Callable[[int], None]:
        where = device(self._folder)

        def tell(size: int) -> None:
            reservation.wrote(where, size)
            self._shop.progress(self._meeting.uuid, size)

        return tell

    def _publish(
        self, files: tuple[RecordingFile, ...], arrangement: Arrangement, fetched: Mapping[str, Fetched]
    ) -> Receipt:
        bench = BuildContext(tools=self._shop.tools, clock=self._shop.clock, folder=self._folder)
        have = Materials(
            meeting=self._meeting,
            known=self._known(files),
            fetched=fetched,
            arrangement=arrangement,
            previous=self._previous,
        )
        with STAGING.explained(self._folder):
            try:
                item = build_item(have, self._shop.style, bench)
            except Unstitchable:  # perhaps they only arrived damaged: the next try fetches them again
                for one in fetched.values():
                    one.path.unlink(missing_ok=True)
                raise
        author = self._author() if arrangement.build or self._previous is None else _as_stored(self._previous)
        return self._shop.destination.publish(item, author, self._remembered, requested=self._is_asked)

    def _author(self) -> Author:
        return self._shop.destination.author_for(self._shop.users.get(self._meeting.host_id) or self._meeting.host)

    def _done(self, receipt: Receipt, fetched: Mapping[str, Fetched], failed: Mapping[str, MeetingFailed]) -> Done:
        labels = {file.id: file.label for file in self._job.files}
        missing = tuple(f"{labels.get(one, one)}: {problem}" for one, problem in failed.items())
        return Done(
            receipt=receipt,
            stored=len(contents(receipt) - (contents(self._job.previous) & contents(self._previous))),
            fetched=len(fetched),
            size=sum(one.size for one in fetched.values()),
            pending=(*self._job.pending, *missing),
            problem=next(iter(failed.values()), None),
        )
