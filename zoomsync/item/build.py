"""From fetched files to the item that a destination is to hold: stitching, joining, describing."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from zoomsync.errors import Unjoinable, Unstitchable
from zoomsync.files import digest
from zoomsync.media import chat, stitch, webvtt
from zoomsync.media.ffmpeg import Tools
from zoomsync.model import (
    Clock,
    CloudFile,
    Fetched,
    Item,
    ItemFile,
    Kind,
    Meeting,
    Receipt,
    RecordingFile,
    Role,
)
from zoomsync.naming import item_folder, title, zone
from zoomsync.rules.layout import How, Output, numbers, original
from zoomsync.rules.segments import segments
from zoomsync.rules.update import Arrangement

log = logging.getLogger(__name__)

BASE_SECONDS = 3600.0
"""Time limit of a stitching: an hour, and twice the length of the recording on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How items are made, from the config."""

    concatenate: bool
    reencode: bool
    title: str
    timezone: str
    draft: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """Where and with what an item is made."""

    tools: Tools
    clock: Clock
    folder: Path
    """Staging of this meeting alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """What there is for an item: its meeting, the files just fetched, what is stored already."""

    meeting: Meeting
    known: tuple[RecordingFile, ...]
    """All files that the item is or was made of."""
    fetched: Mapping[str, Fetched]
    arrangement: Arrangement
    previous: Receipt | None


def build_item(have: Materials, style: Style, bench: BuildContext) -> Item:
    """The item, its new files lying in `bench.folder`. Raises `Unstitchable`, `DiskFull`, `ToolMissing`."""
    kept = [stored.as_item_file() for stored in have.arrangement.keep]
    videos = [o for o in have.arrangement.build if o.how is How.STITCH or o.inputs[0].kind.is_media]
    texts = [output for output in have.arrangement.build if output not in videos]
    made = [file for output in videos for file in _video(output, have, style, bench)]
    if any(file.role.is_primary for file in [*made, *kept]):
        timed = [file for file in (*made, *kept) if file.offsets]
        offsets = _offsets(have.known, sorted(timed, key=lambda file: (file.role.kind != Kind.VIDEO, str(file.role))))
        made += [file for output in texts for file in _text(output, have, offsets, bench)]
    else:
        made += [file for output in texts for file in _separate_text(output, have)]
    unique = _own_sources(_by_role([*kept, *made]), bench.folder)
    year, folder = item_folder(have.meeting.start, have.meeting.topic, zone(style.timezone, have.meeting))
    return Item(
        meeting=have.meeting,
        title=title(style.title, have.meeting, zone(style.timezone, have.meeting)),
        folder=folder,
        year=year,
        draft=style.draft,
        files=unique,
        cloud=_cloud(have, unique),
        metadata=_metadata(have, style),
    )


def _by_role(files: Iterable[ItemFile]) -> dict[Role, ItemFile]:
    """Each role once; an original never takes the place of another file's: it gets a number of its own."""
    found: dict[Role, ItemFile] = {}
    for file in files:
        one, number = file, 2
        while one.role.is_original and _differs(one, found.get(one.role)):
            stem, dot, ending = file.name.rpartition(".")
            one = replace(file, role=Role.parse(f"{file.role}-{number}"), name=f"{stem}-{number}{dot}{ending}")
            number += 1
        found[one.role] = one
    return found


def _differs(file: ItemFile, other: ItemFile | None) -> bool:
    return other is not None and (file.made_of, file.sha256) != (other.made_of, other.sha256)


def _own_sources(files: Mapping[Role, ItemFile], folder: Path) -> tuple[ItemFile, ...]:
    """Each file with a source of its own, so that the destination may move it away: a second use gets a link."""
    taken: set[Path] = set()
    owned = []
    for number, file in enumerate(files.values()):
        if file.source is not None and file.source in taken:
            link = folder / f"{number}.{file.source.name}"
            link.unlink(missing_ok=True)
            link.hardlink_to(file.source)
            file = replace(file, source=link)  # noqa: PLW2901  # the file, with its own source
        if file.source is not None:
            taken.add(file.source)
        owned.append(file)
    return tuple(owned)


def _as_fetched(output: Output, have: Materials, offsets: tuple[float, ...] = ()) -> ItemFile:
    fetched = have.fetched[output.inputs[0].id]
    return ItemFile(
        name=output.name,
        role=output.role,
        made_of=output.made_of,
        source=fetched.path,
        size=fetched.size,
        sha256=fetched.sha256,
        offsets=offsets,
    )


def _video(output: Output, have: Materials, style: Style, bench: BuildContext) -> list[ItemFile]:
    """The files of one video output; re-encoded, its originals are kept beside it as the proof for deletion."""
    if output.how is How.KEEP:
        return [_as_fetched(output, have, (0.0,))]
    inputs = [have.fetched[file.id].path for file in output.inputs]
    target = bench.folder / f"{output.role}.{output.name.rpartition('.')[2]}"
    try:
        stitched = stitch.stitch(
            bench.tools,
            inputs,
            target,
            title=title(style.title, have.meeting, zone(style.timezone, have.meeting)),
            created=have.meeting.start,
            chapters=[f"Segment {n}" for n in range(1, len(inputs) + 1)],
            reencode=style.reencode,
            clock=bench.clock,
            seconds_limit=BASE_SECONDS + 2 * _seconds(output.inputs),
        )
    except Unjoinable as problem:
        log.info("%s: its segments stay separate videos: %s", output.role, problem)
        return [_as_fetched(one, have, (0.0,)) for one in output.separate()]
    starts = (0.0, *accumulate(stitched.durations[:-1]))
    video = _made(output, stitched.path, bench.clock, offsets=starts)
    return [video, *_originals(output, have)] if stitched.reencoded else [video]


def _seconds(files: Iterable[RecordingFile]) -> float:
    return sum((file.end - file.start).total_seconds() for file in files if file.start and file.end)


def _originals(output: Output, have: Materials) -> list[ItemFile]:
    """The segments as fetched. Each is linked, not moved, in staging: it may go into several places."""
    segment = numbers(have.known)
    stored = {(file.made_of, file.sha256): file for file in have.arrangement.keep if file.role.is_original}
    originals = []
    for file in output.inputs:
        one = original(file, segment[file.id])
        same = stored.get((one.made_of, have.fetched[file.id].sha256))
        originals.append(same.as_item_file() if same else _as_fetched(one, have))
    return originals


def _made(output: Output, path: Path, clock: Clock, *, offsets: tuple[float, ...] = ()) -> ItemFile:
    content, status = digest(path, clock)
    return ItemFile(
        name=output.name,
        role=output.role,
        made_of=output.made_of,
        source=path,
        size=status.st_size,
        sha256=content,
        offsets=offsets,
    )


def _offsets(known: Sequence[RecordingFile], videos: Sequence[ItemFile]) -> dict[str, tuple[str, float]]:
    """File id → the video (by role) that contains its segment, the first of `videos`, and where in it that begins."""
    parts = segments(known)
    offsets: dict[str, tuple[str, float]] = {}
    for part in parts:
        ids = {file.id for file in part.files if file.kind.is_media}
        found = ((str(v.role), o) for v in videos for i, o in zip(v.made_of, v.offsets, strict=True) if i in ids)
        by_the_clock = ("", (part.start - parts[0].start).total_seconds())
        offsets |= dict.fromkeys((file.id for file in part.files), next(found, by_the_clock))
    return offsets


JOINS = {How.CAPTIONS: webvtt.join_captions, How.CHAT: chat.join_chat}


def _text(
    output: Output, have: Materials, offsets: Mapping[str, tuple[str, float]], bench: BuildContext
) -> list[ItemFile]:
    if output.how is How.KEEP:
        return [_as_fetched(output, have)]
    try:
        if len({offsets[file.id][0] for file in output.inputs}) > 1:
            raise Unstitchable("its segments lie in different videos")  # noqa: TRY301  # told like what `join` refuses
        joined = JOINS[output.how]([(_read(have.fetched[f.id].path), offsets[f.id][1]) for f in output.inputs])
    except Unstitchable as problem:
        log.warning("%s: not joined, the originals are kept under segments/: %s", output.name, problem)
        return []
    path = bench.folder / output.name.replace("/", "-")
    path.write_text(joined, encoding="utf-8", newline="")
    return [_made(output, path, bench.clock)]


def _separate_text(output: Output, have: Materials) -> list[ItemFile]:
    """The text files beside separate videos: each as fetched, named like the video of its segment."""
    if output.how is How.KEEP:
        return [_as_fetched(output, have)]
    segment = numbers(have.known)
    alone = [replace(output, how=How.KEEP, inputs=(file,)) for file in output.inputs]
    return [_as_fetched(one.numbered(segment[one.inputs[0].id]), have) for one in alone]


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig", errors="replace")


def _cloud(have: Materials, files: Sequence[ItemFile]) -> tuple[CloudFile, ...]:
    """For every cloud file the stored file that contains it: as fetched where it is, else stitched in."""
    listed = {file.id: file for output in have.arrangement.build for file in output.inputs}
    names = {file.name for file in files}
    cloud = {one.id: one for one in (have.previous.cloud if have.previous else ()) if one.stored in names}
    for one in listed.values():
        holder = _holder(one, have, files)
        if holder is not None:
            cloud[one.id] = _cloud_file(one, have.fetched[one.id], holder.name)
    return tuple(cloud.values())


def _holder(one: RecordingFile, have: Materials, files: Sequence[ItemFile]) -> ItemFile | None:
    sha256 = have.fetched[one.id].sha256
    made = [file for file in files if one.id in file.made_of]
    same = [file for file in made if file.sha256 == sha256]
    new = [file for file in made if one.kind.is_media and file.source is not None]  # a kept one may hold older bytes
    return next(iter(same or new), None)


def _cloud_file(one: RecordingFile, fetched: Fetched, stored: str) -> CloudFile:
    return CloudFile(
        id=one.id,
        kind=one.kind,
        type=one.type,
        view=one.view,
        start=one.start,
        end=one.end,
        extension=one.extension,
        size=one.size,
        fetched_size=fetched.size,
        sha256=fetched.sha256,
        stored=stored,
    )


def _metadata(have: Materials, style: Style) -> dict[str, object]:
    """What `recording.json` tells of the meeting: an allow-list, no links, no passcodes."""
    meeting = have.meeting
    return {
        "uuid": meeting.uuid,
        "number": meeting.number,
        "topic": meeting.topic,
        "title": title(style.title, meeting, zone(style.timezone, meeting)),
        "type": meeting.type,
        "start": meeting.start.isoformat(),
        "timezone": meeting.timezone,
        "host": {"id": meeting.host_id, "email": meeting.host_email},
        "segments": [{"start": part.start.isoformat(), "end": part.end.isoformat()} for part in segments(have.known)],
    }
