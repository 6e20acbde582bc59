"""Whether what the portal has is what a receipt says: the question before every deletion and every addition. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from zoomsync.destinations.vidizmo.media import (
    CAPTION,
    PENDING,
    REJECTED,
    STORED,
    MediaItem,
    attached_as,
    media_of,
    media_receipt,
)
from zoomsync.destinations.vidizmo.text import portal_name
from zoomsync.errors import MeetingFailed
from zoomsync.formatting import moment, plural, size_in_words
from zoomsync.model import Receipt, Stamp, StoredFile, Verdict

LONGEST_TRANSCODING = timedelta(hours=48)
"""A media item that the portal has not transcoded by then is a failure, no matter of waiting."""


class Weight(IntEnum):
    """What a finding means; the heaviest one decides."""

    WAITS = 1
    """Time alone mends it."""
    SILENT = 2
    """The portal does not say what would prove it."""
    UNPROVEN = 3
    REMOVED = 4
    """A person did it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was published."""

    weight: Weight
    fact: str
    file: str = ""
    """The name of the stored file that is not there as it was stored."""


def judge(receipt: Receipt, media: Mapping[str, MediaItem], now: datetime) -> Verdict:
    """Judge a receipt by fresh readings of its media items. What is compared are sizes, and SHA-256 if it is known."""
    for one in media.values():
        if one.uuid not in ("", receipt.uuid):
            return Verdict(safe=False, reason=f"media {one.id} is of another meeting now", receipt=receipt)
    found = sorted(_findings(receipt, media, now), key=lambda finding: finding.weight, reverse=True)
    if found:
        worst = found[0]
        return Verdict(
            safe=False,
            reason=worst.fact,
            receipt=receipt,
            removed=worst.weight is Weight.REMOVED,
            passing=worst.weight is Weight.WAITS,
            silent=worst.weight is Weight.SILENT,
            lacking=tuple(dict.fromkeys(finding.file for finding in found if finding.file)),
        )
    files = tuple(stamped(file, media[media_of(file)], now) for file in receipt.files)
    size = size_in_words(sum(file.size for file in files))
    has_sums = all(media[media_of(file)].sha256 for file in files if not attached_as(file))
    what = "sizes, and SHA-256 of each media item," if has_sums else "sizes"
    reason = f"{plural(len(files), 'file')}, {size}, {what} verified at the portal"
    return Verdict(safe=True, reason=reason, receipt=replace(receipt, files=files))


def altered(receipt: Receipt, media: Mapping[str, MediaItem]) -> Iterator[tuple[MediaItem, str]]:
    """The media items whose content is not what was stored, each with the fact that shows it."""
    for file in receipt.files:
        one = media.get(media_of(file))
        if one is not None and not attached_as(file):
            yield from ((one, finding.fact) for finding in _content(file, one) if finding.weight > Weight.SILENT)


def stamped(file: StoredFile, media: MediaItem, now: datetime) -> StoredFile:
    """A media item's own content with the version that was looked at; transcoding may still raise the version."""
    if attached_as(file):
        return file
    version = media.version if media.processed else ""
    return replace(file, stamp=Stamp(at=now, version=version, look=media.look))


def not_shown(file: StoredFile, media: MediaItem) -> MeetingFailed:
    """The error for a file that the portal took and does not show as it was sent."""
    kind, name = _lists(file), portal_name(file.name)
    size = (media.attached(file) or {}).get(name)
    if size is not None:
        message = f"media {media.id}: {name} has {size} bytes at the portal, {file.size} were sent"
        hint = "compare them; delete it there if it is not right; destination.endpoints.media_get.answer.handout_size"
        return MeetingFailed(message, hint=f"{hint} says where its size is", service="portal")
    message = f"media {media.id}: the portal took {name} and does not show it among its {kind}"
    hint = f"destination.endpoints.media_get.answer.{kind} says where they are; '' if it never shows them by name"
    return MeetingFailed(message, hint=hint, service="portal")


def is_there(file: StoredFile, media: Mapping[str, MediaItem]) -> bool:
    """Whether a file that was stored is at the portal; if the portal does not say, it is.

    A media item counts whatever its size: there must never be a second one.
    """
    one = media.get(media_of(file))
    if one is None or not attached_as(file):
        return one is not None
    shown, name = one.attached(file), portal_name(file.name)
    if shown is None or attached_as(file) == CAPTION:
        return shown is None or name in shown
    return name in shown and shown[name] in (None, file.size)


def _lists(file: StoredFile) -> str:
    """The list of the media item in which an attached file is shown."""
    return "captions" if attached_as(file) == CAPTION else "handouts"


def _findings(receipt: Receipt, media: Mapping[str, MediaItem], now: datetime) -> Iterator[Finding]:
    for file in receipt.files:
        one = media.get(media_of(file))
        if one is None:
            yield _removed(file, "was removed from the portal")
        elif one.status == REJECTED:
            yield _removed(file, f"was rejected in the portal (media {one.id})")
        elif attached_as(file):
            yield from _attachment(file, one)
        else:
            yield from _content(file, one)
            yield from _transcoding(file, one, now)
    for one in media.values():
        own, part = one.receipt, media_receipt(receipt, one.id)
        if own is not None and not (set(own.files) <= set(part.files) and set(own.cloud) <= set(part.cloud)):
            yield Finding(Weight.UNPROVEN, f"media {one.id} describes another version of this item")
        if one.status not in (*STORED, REJECTED):
            fact = f"media {one.id} is in the state {one.status}, which means nothing to zoomsync"
            yield Finding(Weight.UNPROVEN, fact)
        if one.status == PENDING:
            yield Finding(Weight.WAITS, f"media {one.id} waits for approval in the portal")
        if not one.uuid:
            where = "destination.endpoints.media_get.answer.attributes"
            fact = f"media {one.id}: the portal does not say of which meeting it is ({where})"
            yield Finding(Weight.SILENT, fact)


def _content(file: StoredFile, media: MediaItem) -> Iterator[Finding]:
    # Every update raises the version: https://help.vidizmo.com/support/solutions/articles/17000110563. One that changes
    # nothing else of what the portal says has replaced the content: not documented, assumed.
    stamp = file.stamp
    is_newer = stamp is not None and "" not in (stamp.version, media.version) and stamp.version != media.version
    has_other = media.sha256 not in ("", file.sha256)
    if has_other or (media.size != file.size and not media.is_sum and media.size is not None):
        fact = f"has {media.size} bytes at the portal, {file.size} were stored"
        fact = "has other content at the portal (SHA-256) than what was stored" if has_other else fact
        yield _removed(file, fact) if is_newer else Finding(Weight.UNPROVEN, f"{file.name} {fact}")
    elif media.sha256:
        return
    elif is_newer and stamp is not None and stamp.look == media.look:
        yield _removed(file, f"was replaced at the portal: version {media.version}, {stamp.version} was stored")
    elif media.size is None:
        yield _silent(file, "its size", "size")
    elif media.is_sum:
        yield _silent(file, f"its size but as a sum ({media.size} bytes), which proves nothing", "size")


def _transcoding(file: StoredFile, media: MediaItem, now: datetime) -> Iterator[Finding]:
    stamp = file.stamp
    if media.processed is None:
        yield _silent(file, "whether it is transcoded", "processed")
    elif not media.processed and stamp is not None and now - stamp.at > LONGEST_TRANSCODING:
        yield Finding(Weight.UNPROVEN, f"{file.name}: the portal has not transcoded it since {moment(stamp.at)}")
    elif not media.processed:
        yield Finding(Weight.WAITS, f"{file.name}: the portal still transcodes it")


def _attachment(file: StoredFile, media: MediaItem) -> Iterator[Finding]:
    shown = media.attached(file)
    size = (shown or {}).get(portal_name(file.name), "")
    if shown is None:
        yield _silent(file, f"which {_lists(file)} a media item has", _lists(file))
    elif portal_name(file.name) not in shown:
        yield _removed(file, f"was removed from media {media.id}")
    elif size is None:
        yield _silent(file, "its size", "handout_size")
    elif isinstance(size, int) and size != file.size:
        yield _removed(file, f"has {size} bytes at the portal, {file.size} were stored")


def _removed(file: StoredFile, fact: str) -> Finding:
    return Finding(Weight.REMOVED, f"{file.name} {fact}", file.name)


def _silent(file: StoredFile, what: str, key: str) -> Finding:
    where = f"destination.endpoints.media_get.answer.{key}"
    return Finding(Weight.SILENT, f"{file.name}: the portal does not say {what} ({where})")
