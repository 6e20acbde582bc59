"""Captions and handouts: what is attached to a media, each file once, and never under a name that is another's."""

import logging
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from zoomsync.destinations.vidizmo.describing import OTHER_FORMAT, format_of, portal_name
from zoomsync.destinations.vidizmo.held import CAPTION, HANDOUT, attached, stored_as
from zoomsync.destinations.vidizmo.judging import LONGEST_TRANSCODING, is_there, unseen
from zoomsync.destinations.vidizmo.media import Handout, Media
from zoomsync.destinations.vidizmo.portal import Portal, Refused
from zoomsync.destinations.vidizmo.unanswered import Unanswered
from zoomsync.destinations.vidizmo.upload import Uploaded, Uploads
from zoomsync.errors import Forbidden, NotAuthorized, Unsettled
from zoomsync.model import Clock, Intent, ItemFile, StoredFile

log = logging.getLogger(__name__)

TRANSCODED_IN = timedelta(minutes=10)
"""When a portal that refuses captions before it has transcoded is asked again."""
_LANGUAGE = re.compile(rb"^Language:[ \t]*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)[ \t]*\r?$", re.MULTILINE)


class Attaching:
    """Attaches files to media. Shared by all workers.

    The portal shows of an attached file no more than its name, perhaps its size. So that it is ours is known by what is
    written down before the call: which bytes, under a name that was free.
    """

    def __init__(
        self, portal: Portal, uploads: Uploads, unanswered: Unanswered, clock: Clock, *, language: str
    ) -> None:
        self._portal = portal
        self._uploads = uploads
        self._unanswered = unanswered
        self._clock = clock
        self._language = language

    def attach(self, uuid: str, file: ItemFile, on: Media, host: StoredFile) -> tuple[StoredFile, Media]:
        """As captions where the media can have them, else as a handout: how it is stored, and the media with it.

        `host` is the media's own content. What an earlier call attached for this meeting is not attached again.
        """
        for earlier in self._earlier(uuid, file, on):
            return earlier, on
        culture = self._culture(file, on, host)
        if culture:
            try:
                return self._attached(uuid, file, on, host, culture)
            except (Refused, Forbidden) as refused:
                if isinstance(refused, Refused) and _is_about_upload(refused):
                    raise
                log.warning("media %s: %s is attached as a handout: %s", on.id, file.name, refused)
        return self._attached(uuid, file, on, host, "")

    def _attached(
        self, uuid: str, file: ItemFile, on: Media, host: StoredFile, culture: str
    ) -> tuple[StoredFile, Media]:
        """With a culture as captions, else as a handout."""
        taken = (on.captions or {}) if culture else [one.name for one in on.handouts or ()]
        place = attached(on.id, CAPTION if culture else HANDOUT)
        stored = replace(stored_as(file, place), name=_free_name(file.name, taken))
        name = portal_name(stored.name)
        uploaded = self._uploads.upload(file, name)
        intent = self._unanswered.begin(
            "attach", uuid=uuid, target=file.role, place=place, name=stored.name, sha256=file.sha256
        )
        try:
            self._call(intent, on, uploaded, culture)
        except Refused as refused:
            if refused.status != 409:
                self._uploads.forget(file)
            self._wait_for_transcoding(intent, on, host, refused)
            raise
        if culture:
            return stored, replace(on, captions={**(on.captions or {}), name: culture})
        return stored, replace(on, handouts=(*(on.handouts or ()), Handout(name=name, size=file.size)))

    def _earlier(self, uuid: str, file: ItemFile, on: Media) -> Iterator[StoredFile]:
        """The file as an earlier call attached it: the answer said so, or the media shows it."""
        for intent in self._unanswered.open("attach", uuid=uuid):
            known = intent.details
            stored = replace(stored_as(file, known["place"]), name=known["name"])
            on_it = known["place"].startswith(f"{on.id}/")
            if not on_it or (intent.target, known["sha256"]) != (file.role, file.sha256):
                continue
            is_shown = is_there(stored, {on.id: on})
            is_told = on.handouts is not None and on.captions is not None
            if "done" in known and not is_shown:
                raise unseen(stored, on.id)
            if is_shown and (is_told or "done" in known):
                yield stored

    def _wait_for_transcoding(self, intent: Intent, media: Media, host: StoredFile, refused: Refused) -> None:
        """Raise `Unsettled` where the portal refuses what it will take once it has transcoded; not for ever."""
        began = host.stamp.at if host.stamp is not None else self._unanswered.oldest(intent)
        if refused.status != 409 or media.processed is not False or self._clock.now() - began > LONGEST_TRANSCODING:
            return
        raise Unsettled(
            f"media {media.id} takes {portal_name(intent.details['name'])} once the portal has transcoded it",
            hint="the next pass tries again",
            until=self._clock.now() + TRANSCODED_IN,
        ) from refused

    def _culture(self, file: ItemFile, on: Media, host: StoredFile) -> str:
        """The language in which a file is this media's captions; empty: it is none, or that language is taken."""
        is_track = file.role.partition(".")[0] == "captions" and file.name.lower().endswith(".vtt")
        if not is_track or file.source is None or format_of(host.name) == OTHER_FORMAT:
            return ""
        culture = _language_of(file.source) or self._language
        return "" if culture in (on.captions or {}).values() else culture

    def _call(self, intent: Intent, media: Media, uploaded: Uploaded, culture: str) -> None:
        try:
            if culture:
                self._portal.call("caption_add", media=media.id, culture=culture, **uploaded.values())
            else:
                self._portal.call("handout_add", media=media.id, **uploaded.values())
        except (Refused, NotAuthorized):
            self._unanswered.settle(intent)
            raise
        self._unanswered.learn(intent, done="yes")


def _language_of(source: Path) -> str:
    """The language that captions say in their head; empty: they do not."""
    try:
        with source.open("rb") as file:
            head = re.split(rb"\r?\n\r?\n", file.read(2048), maxsplit=1)[0]
    except OSError:  # uploading it says what is wrong
        return ""
    found = _LANGUAGE.search(head)
    return found[1].decode() if found else ""


def _free_name(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or a further version of it where the media has another file of that name."""
    stem, dot, ending = wanted.rpartition(".")
    name, version = wanted, 1
    while portal_name(name) in taken:
        version += 1
        name = f"{stem}.v{version}{dot}{ending}"
    return name


def _is_about_upload(refused: Refused) -> bool:
    return refused.status in (404, 410) or "blob" in refused.name.lower()
