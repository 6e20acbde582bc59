"""From fetched files to the item that a destination is to have: stitching, joining, describing."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from zoomsync.config import Config
from zoomsync.errors import Unjoinable, Unstitchable
from zoomsync.files import digest, link, open_file, read_file, sync
from zoomsync.formatting import plural, size_in_words
from zoomsync.media import chat, webvtt
from zoomsync.media.ffmpeg import Tools
from zoomsync.model import Clock, CloudFile, Fetched, Item, ItemFile, Kind, Meeting, Receipt, Role, StoredFile
from zoomsync.naming import item_folder, title, zone
from zoomsync.rules.layout import How, Output, numbers, original
from zoomsync.rules.segments import VIEWS, segments
from zoomsync.rules.update import Arrangement

log = logging.getLogger(__name__)

BASE_SECONDS = 3600.0
"""Time limit of a stitching: an hour, and twice the length of the recording on top."""

TEXT_LIMIT = 16_000_000
"""Bytes of the texts that are read to be joined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStyle:
    """What the config says of how items are made."""

    title: str
    timezone: str
    is_draft: bool
    concatenate: bool
    reencode: bool
    views: tuple[str, ...]
    can_replace: bool
    """Whether the destination can replace a stored file."""

    @classmethod
    def of(cls, config: Config, *, can_replace: bool = True) -> "ItemStyle":
        """As this config has it."""
        views = config.recordings.views
        return cls(
            title=config.title,
            timezone=config.timezone,
            is_draft=config.publish_state == "draft",
            concatenate=config.concatenate_recordings,
            reencode=config.reencode,
            views=tuple(VIEWS if isinstance(views, str) else views),
            can_replace=can_replace,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemBuilder:
    """Makes the item of one meeting, of the files just fetched and of what is stored already."""

    meeting: Meeting
    arrangement: Arrangement
    fetched: Mapping[str, Fetched]
    """By id of the cloud file."""
    previous: Receipt | None
    style: ItemStyle
    tools: Tools
    clock: Clock
    folder: Path
    """Staging of this meeting alone."""

    def build(self) -> Item:
        """The item, its new files lying in `folder`. Raises `DiskFull`, `Unfit`, `ToolMissing`."""
        timezone = zone(self.style.timezone, self.meeting)
        year, folder = item_folder(self.meeting.start, self.meeting.topic, timezone)
        heading = title(self.style.title, self.meeting, timezone)
        kept = [_kept(stored) for stored in self.arrangement.keep]
        videos = [o for o in self.arrangement.build if o.how is How.STITCH or o.inputs[0].kind.is_media]
        texts = [output for output in self.arrangement.build if output not in videos]
        made, apart = [], {}
        for output in videos:
            try:
                made += self._video(output, heading)
            except Unstitchable as problem:  # a reason in the media: it will be there in every later pass
                apart[str(output.role)] = problem
                made += [self._file(one, offsets=(0.0,)) for one in output.separate()]
        self._log_apart(apart)
        offsets = self._offsets([*made, *kept])
        made += [file for output in texts for file in self._text(output, offsets)]
        files = tuple(self._with_own_source(_one_per_role([*kept, *made])))
        return Item(
            meeting=self.meeting,
            title=heading,
            folder=folder,
            year=year,
            draft=self.style.is_draft,
            files=files,
            cloud=self._cloud(files),
            metadata=self._metadata(heading),
        )

    def _file(self, output: Output, made: Path | None = None, offsets: tuple[float, ...] = ()) -> ItemFile:
        """The output as it was `made`, else as its only input was fetched; either is durable."""
        if made is None:
            content = self.fetched[output.inputs[0].id]
        else:
            sync(made)
            sha256, status = digest(made, self.clock)
            content = Fetched(path=made, size=status.st_size, sha256=sha256)
        return ItemFile(
            name=output.name,
            role=output.role,
            made_of=output.made_of,
            source=content.path,
            size=content.size,
            sha256=content.sha256,
            offsets=offsets,
        )

    def _video(self, output: Output, heading: str) -> list[ItemFile]:
        """The files of one video output; re-encoded, its originals are kept beside it as the proof for deletion.

        Raises `Unstitchable`.
        """
        if output.how is How.KEEP:
            return [self._file(output, offsets=(0.0,))]
        length = sum((file.end - file.start).total_seconds() for file in output.inputs if file.start and file.end)
        from zoomsync.media.stitch import stitch

        stitched = stitch(
            self.tools,
            [self.fetched[file.id].path for file in output.inputs],
            self.folder / f"{output.role}.{output.name.rpartition('.')[2]}",
            title=heading,
            created=self.meeting.start,
            chapters=[f"Segment {number}" for number, _ in enumerate(output.inputs, 1)],
            reencode=self.style.reencode,
            clock=self.clock,
            seconds_limit=BASE_SECONDS + 2 * length,
        )
        video = self._file(output, stitched.path, (0.0, *accumulate(stitched.durations[:-1])))
        if not stitched.reencoded:
            return [video]
        number = numbers(self.arrangement.known)
        stored = {(file.made_of, file.sha256): file for file in self.arrangement.keep if file.role.is_original}
        originals = []
        for file in output.inputs:
            same = stored.get(((file.id,), self.fetched[file.id].sha256))
            originals.append(_kept(same) if same else self._file(original(file, number[file.id])))
        return [video, *originals]

    def _log_apart(self, problems: Mapping[str, Unstitchable]) -> None:
        """Say once which videos stay separate segments, and why; as a warning if the config did not want that."""
        if problems:
            one = next(iter(problems.values()))
            level = logging.INFO if isinstance(one, Unjoinable) else logging.WARNING
            log.log(level, "%s: the segments stay separate videos: %s", ", ".join(problems), one)

    def _offsets(self, files: Iterable[ItemFile]) -> dict[str, tuple[Role | None, float]]:
        """File id → the video that contains its segment, and where in it that begins; without one, by the clock.

        Empty if no video spans the meeting: then each segment is a video of its own.
        """
        files = list(files)
        kinds = {file.role.kind for file in files if file.role.is_media}
        main = Kind.VIDEO if Kind.VIDEO in kinds else Kind.AUDIO
        if not any(file.role.is_primary and file.role.kind == main for file in files):
            return {}
        timed = [file for file in files if file.offsets]
        videos = sorted(timed, key=lambda file: (file.role.kind != Kind.VIDEO, str(file.role)))
        parts = segments(self.arrangement.known)
        offsets: dict[str, tuple[Role | None, float]] = {}
        for part in parts:
            ids = {file.id for file in part.files if file.kind.is_media}
            found = ((v.role, o) for v in videos for i, o in zip(v.made_of, v.offsets, strict=True) if i in ids)
            by_the_clock = (None, (part.start - parts[0].start).total_seconds())
            offsets |= dict.fromkeys((file.id for file in part.files), next(found, by_the_clock))
        return offsets

    def _text(self, output: Output, offsets: Mapping[str, tuple[Role | None, float]]) -> list[ItemFile]:
        """The files of one text output; beside separate videos each as fetched, named like the video of its segment."""
        if output.how is How.KEEP:
            return [self._file(output)]
        number = numbers(self.arrangement.known)
        try:
            if len({number[file.id] for file in output.inputs}) < len(output.inputs):
                raise Unjoinable("a segment has several of its kind, which nothing tells apart")  # noqa: TRY301  # reported like what a join refuses
            if not offsets:
                alone = (replace(output, how=How.KEEP, inputs=(file,)) for file in output.inputs)
                return [self._file(one.numbered(number[one.inputs[0].id])) for one in alone]
            joined = self._joined(output, offsets, number)
        except Unjoinable as problem:
            log.warning("%s: not joined, the originals are kept under segments/: %s", output.name, problem)
            return []
        path = self.folder / output.name.replace("/", "-")
        with open_file(path, "wb") as file:
            file.write(joined.encode())
        return [self._file(output, path)]

    def _joined(
        self, output: Output, offsets: Mapping[str, tuple[Role | None, float]], number: Mapping[str, int]
    ) -> str:
        """The texts of all segments as one. Raises `Unjoinable`, whatever is in them."""
        fetched = [self.fetched[file.id] for file in output.inputs]
        if len({offsets[file.id][0] for file in output.inputs}) > 1:
            raise Unjoinable("its segments lie in different videos")
        if (size := sum(one.size for one in fetched)) > TEXT_LIMIT:
            raise Unjoinable(f"{size_in_words(size)} of text, and {size_in_words(TEXT_LIMIT)} at most are joined")
        texts = [read_file(one.path).decode("utf-8-sig", "replace") for one in fetched]
        begins = [offsets[file.id][1] for file in output.inputs]
        if output.how is How.CHAT:
            return chat.join_chat(list(zip(texts, begins, strict=True)))
        joined, lost = webvtt.join_captions(list(zip(texts, begins, strict=True)))
        for file, one in zip(output.inputs, lost, strict=True):
            if one.lines:
                log.warning(
                    "%s: left out %s of segment %d, the first is line %d: no player can read them; "
                    "the original is kept under segments/",
                    output.name, plural(one.lines, "line"), number[file.id], one.first,
                )  # fmt: skip
        return joined

    def _cloud(self, files: Sequence[ItemFile]) -> tuple[CloudFile, ...]:
        """For every cloud file the stored file that contains it: as fetched if it is there, else stitched in."""
        names = {file.name for file in files}
        cloud = {one.id: one for one in (self.previous.cloud if self.previous else ()) if one.stored in names}
        for one in self.arrangement.fetch:
            fetched = self.fetched[one.id]
            made = [file for file in files if one.id in file.made_of]
            same = [file for file in made if file.sha256 == fetched.sha256]
            new = [file for file in made if one.kind.is_media and file.source is not None]  # a kept one: older bytes
            for holder in (same or new)[:1]:
                cloud[one.id] = CloudFile.of(one, fetched, holder.name)
        return tuple(cloud.values())

    def _with_own_source(self, files: Iterable[ItemFile]) -> Iterator[ItemFile]:
        """Each file with a source of its own, so that the destination may move it away: a second use gets a link."""
        taken: set[Path | None] = set()
        for number, file in enumerate(files):
            source = file.source
            if source is None or source not in taken:
                taken.add(source)
                yield file
            else:
                own = self.folder / f"{number}.{source.name}"
                link(source, own, sha256=file.sha256, clock=self.clock)
                yield replace(file, source=own)

    def _metadata(self, heading: str) -> dict[str, object]:
        """What `recording.json` says of the meeting: an allow-list, no links, no passcodes."""
        meeting = self.meeting
        parts = segments(self.arrangement.known)
        return {
            "uuid": meeting.uuid,
            "number": meeting.number,
            "topic": meeting.topic,
            "title": heading,
            "type": meeting.type,
            "start": meeting.start.isoformat(),
            "timezone": meeting.timezone,
            "host": {"id": meeting.host_id, "email": meeting.host_email},
            "segments": [{"start": part.start.isoformat(), "end": part.end.isoformat()} for part in parts],
        }


def _kept(stored: StoredFile) -> ItemFile:
    """The wish to keep a stored file as it is."""
    return ItemFile(
        name=stored.name,
        role=stored.role,
        made_of=stored.made_of,
        source=None,
        size=stored.size,
        sha256=stored.sha256,
        offsets=stored.offsets,
    )


def _one_per_role(files: Iterable[ItemFile]) -> list[ItemFile]:
    """The last file of each role. An original never takes the place of another file's: it gets a number of its own."""
    found: dict[Role, ItemFile] = {}
    for file in files:
        one, number = file, 2
        while one.role.is_original and (other := found.get(one.role)) is not None:
            if (other.made_of, other.sha256) == (one.made_of, one.sha256):
                break
            stem, dot, ending = file.name.rpartition(".")
            one = replace(file, role=Role.parse(f"{file.role}-{number}"), name=f"{stem}-{number}{dot}{ending}")
            number += 1
        found[one.role] = one
    return list(found.values())
