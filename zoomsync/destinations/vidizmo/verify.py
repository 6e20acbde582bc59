"""Whether what the portal has is what a receipt says: the question before every deletion and every addition. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from zoomsync.destinations.vidizmo import receipts
from zoomsync.destinations.vidizmo.finder import held_by
from zoomsync.destinations.vidizmo.media import PENDING, REJECTED, STORED, MediaItem
from zoomsync.destinations.vidizmo.text import portal_name
from zoomsync.errors import MeetingFailed
from zoomsync.formatting import moment, plural, size_in_words
from zoomsync.model import Receipt, Stamp, StoredFile, Verdict

LONGEST_TRANSCODING = timedelta(hours=48)
"""After which it is no matter of patience any more."""


class Weight(IntEnum):
    """What a finding means; the heaviest one decides."""

    WAITS = 1
    """Time mends it."""
    SILENT = 2
    """The portal does not say what would prove it."""
    UNPROVEN = 3
    REMOVED = 4
    """A person's deed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it was published."""

    weight: Weight
    fact: str
    file: str = ""
    """The name of the stored file that is not there as it was stored."""


def judge(receipt: Receipt, shelf: Mapping[str, MediaItem], now: datetime) -> Verdict:
    """Judge a receipt by fresh readings of its media. Sizes alone are compared: no more is known of the bytes."""
    found = sorted(_findings(receipt, shelf, now), key=lambda one: one.weight, reverse=True)
    if found:
        worst = found[0]
        return Verdict(
            safe=False,
            reason=worst.fact,
            receipt=receipt,
            removed=worst.weight is Weight.REMOVED,
            passing=worst.weight is Weight.WAITS,
            silent=worst.weight is Weight.SILENT,
            lacking=tuple(dict.fromkeys(one.file for one in found if one.file)),
        )
    files = tuple(stamped(file, shelf[receipts.media_of(file)], now) for file in receipt.files)
    size = size_in_words(sum(file.size for file in files))
    reason = f"{plural(len(files), 'file')}, {size}, sizes verified at the portal"
    return Verdict(safe=True, reason=reason, receipt=replace(receipt, files=files))


def altered(receipt: Receipt, shelf: Mapping[str, MediaItem]) -> Iterator[tuple[MediaItem, str]]:
    """The media whose content is not what was stored, each with what tells it."""
    for file in receipt.files:
        media = shelf.get(receipts.media_of(file))
        if media is not None and not receipts.manner_of(file):
            yield from ((media, one.fact) for one in _bytes(file, media) if one.weight > Weight.SILENT)


def stamped(file: StoredFile, media: MediaItem, now: datetime) -> StoredFile:
    """A media's own content with the version that was looked at; transcoding may bring about another one."""
    if receipts.manner_of(file):
        return file
    version = "" if media.processed is False else media.version
    return replace(file, stamp=Stamp(at=now, version=version, look=media.look))


def unseen(file: StoredFile, media: str) -> MeetingFailed:
    """The error for a file that the portal took and does not show."""
    kind = "captions" if receipts.manner_of(file) == receipts.CAPTION else "handouts"
    return MeetingFailed(
        f"media {media}: the portal took {portal_name(file.name)} and does not show it among its {kind}",
        hint=f"destination.endpoints.media_get.answer.{kind} says where they are; '' if it never shows them by name",
    )


def is_there(file: StoredFile, shelf: Mapping[str, MediaItem]) -> bool:
    """Whether a file that was stored is at the portal; where that does not say, it is.

    A media counts whatever its size: there is never to be a second one.
    """
    media = shelf.get(receipts.media_of(file))
    if media is None:
        return False
    name, manner = portal_name(file.name), receipts.manner_of(file)
    if manner == receipts.CAPTION:
        return media.captions is None or name in media.captions
    handout = media.handout(name)
    is_shown = handout is not None and handout.size in (None, file.size)
    return not manner or media.handouts is None or is_shown


def _findings(receipt: Receipt, shelf: Mapping[str, MediaItem], now: datetime) -> Iterator[Finding]:
    for file in receipt.files:
        media = shelf.get(receipts.media_of(file))
        if media is None:
            yield _removed(file, "was removed from the portal")
        elif media.status == REJECTED:
            yield _removed(file, f"was rejected in the portal (media {media.id})")
        elif receipts.manner_of(file) == receipts.CAPTION:
            yield from _caption(file, media)
        elif receipts.manner_of(file):
            yield from _handout(file, media)
        else:
            yield from _bytes(file, media)
            yield from _transcoding(file, media, now)
    for media in shelf.values():
        yield from _telling(receipt, media)
        if media.status not in (*STORED, REJECTED):
            yield _unproven(f"media {media.id} is in the state {media.status}, which means nothing to zoomsync")
        if media.status == PENDING:
            yield Finding(weight=Weight.WAITS, fact=f"media {media.id} waits for approval in the portal")


def _bytes(file: StoredFile, media: MediaItem) -> Iterator[Finding]:
    stamp = file.stamp
    is_newer = stamp is not None and "" not in (stamp.version, media.version) and stamp.version != media.version
    if media.size is None:
        yield _silent(file, "its size", "size")
    elif media.size != file.size:
        fact = f"has {media.size} bytes at the portal, {file.size} were stored"
        yield _removed(file, fact) if is_newer else _unproven(f"{file.name} {fact}")
    elif is_newer and stamp is not None and stamp.look == media.look:
        yield _removed(file, f"was replaced at the portal: version {media.version}, {stamp.version} was stored")


def _transcoding(file: StoredFile, media: MediaItem, now: datetime) -> Iterator[Finding]:
    stamp = file.stamp
    if media.processed is None:
        yield _silent(file, "whether it is transcoded", "processed")
    elif not media.processed and stamp is not None and now - stamp.at > LONGEST_TRANSCODING:
        yield _unproven(f"{file.name}: the portal has not transcoded it since {moment(stamp.at)}")
    elif not media.processed:
        yield Finding(weight=Weight.WAITS, fact=f"{file.name}: the portal still transcodes it")


def _caption(file: StoredFile, media: MediaItem) -> Iterator[Finding]:
    if media.captions is None:
        yield _silent(file, "which captions a media has", "captions")
    elif portal_name(file.name) not in media.captions:
        yield _removed(file, f"was removed from media {media.id}")


def _handout(file: StoredFile, media: MediaItem) -> Iterator[Finding]:
    there = media.handout(portal_name(file.name))
    if media.handouts is None:
        yield _silent(file, "which handouts a media has", "handouts")
    elif there is None:
        yield _removed(file, f"was removed from media {media.id}")
    elif there.size is None:
        yield _silent(file, "its size", "handout_size")
    elif there.size != file.size:
        yield _removed(file, f"has {there.size} bytes at the portal, {file.size} were stored")


def _telling(receipt: Receipt, media: MediaItem) -> Iterator[Finding]:
    """The media's own account of what it holds, where it has one, must be the receipt's."""
    own = held_by(media)
    if own is None:
        return
    share = receipts.share_of(receipt, media.id)
    if not (set(own.files) <= set(share.files) and set(own.cloud) <= set(share.cloud)):
        yield _unproven(f"media {media.id} tells of another version of this item")


def _removed(file: StoredFile, fact: str) -> Finding:
    return Finding(weight=Weight.REMOVED, fact=f"{file.name} {fact}", file=file.name)


def _silent(file: StoredFile, what: str, key: str) -> Finding:
    where = f"destination.endpoints.media_get.answer.{key}"
    return Finding(weight=Weight.SILENT, fact=f"{file.name}: the portal does not say {what} ({where})")


def _unproven(fact: str) -> Finding:
    return Finding(weight=Weight.UNPROVEN, fact=fact)
