"""Which segments a meeting has, which view of each is best, which files the config selects. Pure.

Stopping a recording and starting it again makes further files, pausing it does not:
https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=KB0062627
They come under the same uuid with the same recording types; only their times say to which segment a file belongs
(seen, undocumented).
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from zoomsync.model import Kind, RecordingFile, Segment

VIEWS = (
    "shared_screen_with_speaker_view(CC)",
    "shared_screen_with_speaker_view",
    "production_studio",
    "shared_screen_with_gallery_view",
    "active_speaker",
    "speaker_view",
    "gallery_view",
    "shared_screen",
    "host_video",
    "sign_interpretation",
    "audio_only",
)
"""Zoom's names of views, best first; the set is open: unknown ones rank behind these, sound alone behind all videos.

https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording (`recording_type`)
"""

JITTER = timedelta(seconds=1)
"""By how much Zoom's times of one segment's files differ (seen, undocumented)."""

NEAR = timedelta(seconds=10)
"""Different views that begin within this are of one segment, unless Zoom says that one ends before the other begins.

Two views of one recording were seen 2 s apart and without an end:
https://github.com/harvard-dce/zoom-recording-ingester/pull/52
"""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rank(file: RecordingFile, views: Sequence[str] = VIEWS) -> tuple[bool, int, str]:
    """Sorting key: the best view of a segment first, sound alone last."""
    known = list(views) + [view for view in VIEWS if view not in views]
    place = known.index(file.view) if file.view in known else len(known)
    return (file.kind is not Kind.VIDEO, place, file.view)


def has_end(file: RecordingFile) -> bool:
    """Whether Zoom says when it ends."""
    return file.end is not None and (file.start is None or file.end > file.start)


def segments(files: Iterable[RecordingFile], *, estimate: bool = True) -> tuple[Segment, ...]:
    """The segments of a meeting, in order; distinguished by its media files, the others join the nearest.

    If Zoom does not say when a file ends, its end is an estimate, here and in the segment's files. Without `estimate`
    there may be more segments than in truth, but never fewer.
    """
    files = sorted(files, key=lambda file: (_start(file), file.kind is not Kind.VIDEO, file.view, file.id))
    files = _with_ends(files, estimate=estimate)
    timed = [file for file in files if _is_timed(file)]
    media = [file for file in timed if file.kind is Kind.VIDEO] or [file for file in timed if file.kind.is_media]
    clusters: list[list[RecordingFile]] = []
    for file in media:
        if clusters and _belongs(file, clusters[-1]):
            clusters[-1].append(file)
        else:
            clusters.append([file])
    for file in files:
        if file not in media:
            _join_nearest(file, clusters)
    found = []
    for cluster in clusters:
        of_time = [file for file in cluster if _is_timed(file)] or cluster
        span = [file for file in of_time if file.kind.is_media] or of_time
        ordered = sorted(cluster, key=lambda file: (*rank(file), _start(file), file.id))
        found.append(Segment(start=min(map(_start, span)), end=max(map(_end, span)), files=tuple(ordered)))
    return tuple(sorted(found, key=lambda segment: segment.start))


def _with_ends(files: Sequence[RecordingFile], *, estimate: bool) -> list[RecordingFile]:
    """The files, sorted by start, each with an end as far as one can be told from those that begin with it."""
    groups: list[list[RecordingFile]] = []
    for file in files:
        if file.start is not None:
            if groups and _begins_with(file, groups[-1]):
                groups[-1].append(file)
            else:
                groups.append([file])
    ends = {}
    for group in groups:
        media = [file for file in group if file.kind.is_media] or group
        goes_on = estimate and not all(map(has_end, media))  # also what is said to end before another of them begins
        latest = max(map(_start, media))
        end = _end_of(media, group, files, estimate=estimate)
        for file in group:
            if not has_end(file) or (goes_on and file in media and _end(file) <= latest):
                ends[file.id] = max(end, _start(file))
    return [replace(file, end=ends.get(file.id, file.end)) for file in files]


def _begins_with(file: RecordingFile, group: Sequence[RecordingFile]) -> bool:
    """Whether a file begins along with these; one of a view that is among them already, within the same second."""
    later = _start(file) - _start(group[0])
    return later <= JITTER or (later <= NEAR and _track(file) not in map(_track, group))


def _end_of(
    media: Sequence[RecordingFile], group: Sequence[RecordingFile], files: Sequence[RecordingFile], *, estimate: bool
) -> datetime:
    """When files that begin together end: as Zoom says of one, else as they last, but before one of them goes on."""
    latest = max(map(_start, media))
    tracks = set(map(_track, media))
    following = [_start(file) for file in files if _track(file) in tracks and _start(file) > latest]
    listed = [_end(file) for file in media if has_end(file) and _end(file) > latest]
    lasting = [_start(file) + file.length for file in media if file.length and not has_end(file)]
    texts = [_end(file) for file in group if has_end(file)]
    known = listed or lasting or texts
    if not (listed or estimate):
        return latest
    return max(latest, min([*following, *([max(known)] if known else [])], default=latest))


def _track(file: RecordingFile) -> tuple[Kind, str]:
    return file.kind, file.view


def _is_timed(file: RecordingFile) -> bool:
    return file.start is not None or file.end is not None


def _start(file: RecordingFile) -> datetime:
    return file.start or file.end or EPOCH


def _end(file: RecordingFile) -> datetime:
    return max(file.end or _start(file), _start(file))


def _overlap(a: RecordingFile, b: RecordingFile) -> timedelta:
    """How long both run; negative: how far they are apart."""
    return min(_end(a), _end(b)) - max(_start(a), _start(b))


def _belongs(file: RecordingFile, cluster: Sequence[RecordingFile]) -> bool:
    """Whether a file is of the last segment. If that has its view already, half of the file must lie within it."""
    twins = [other for other in cluster if _track(other) == _track(file)]
    if twins and all(_overlap(file, twin) <= JITTER for twin in twins):
        return any(_overlap(file, other) > max(JITTER, (_end(file) - _start(file)) / 2) for other in cluster)
    return any(_linked(file, other) for other in cluster)


def _linked(a: RecordingFile, b: RecordingFile) -> bool:
    is_short = min(_end(a) - _start(a), _end(b) - _start(b)) <= JITTER
    least = timedelta(0) if abs(_start(a) - _start(b)) <= NEAR else JITTER
    return _overlap(a, b) >= -JITTER if is_short else _overlap(a, b) > least


def _join_nearest(file: RecordingFile, clusters: list[list[RecordingFile]]) -> None:
    """Text joins the media that it overlaps most, sound likewise; sound that overlaps none is a segment of its own."""
    media = [[other for other in cluster if other.kind.is_media] or cluster for cluster in clusters]
    is_linked = any(_linked(file, other) for cluster in media for other in cluster)
    if not clusters or (file.kind is Kind.AUDIO and _is_timed(file) and not is_linked):
        clusters.append([file])
    elif not _is_timed(file):
        clusters[0].append(file)
    else:
        reach = [max(_overlap(file, other) for other in cluster) for cluster in media]
        clusters[reach.index(max(reach))].append(file)


def select(
    files: Iterable[RecordingFile], *, views: str | Sequence[str], kinds: AbstractSet[Kind], only_primary: bool = False
) -> tuple[RecordingFile, ...]:
    """The files that the config wants. If a segment has none of the listed views, its best one is taken.

    Whatever may be a segment of its own counts as one: no guess keeps the only view of a segment out.

    One that is being processed and has no type yet may become anything: it is wanted. With `only_primary` no more of a
    segment's media is wanted than its best view, or its sound if it has no video.
    """
    wanted = {file.id: file for file in files if file.kind in kinds or (file.processing and not file.type)}
    if views == "all" and not only_primary:
        return tuple(wanted.values())
    listed = [] if isinstance(views, str) else list(views)
    ranked = (Kind.VIDEO, Kind.AUDIO) if only_primary else (Kind.VIDEO,)
    chosen: list[RecordingFile] = []
    for segment in segments(wanted.values(), estimate=False):
        best_first = sorted((file for file in segment.files if file.kind in ranked), key=lambda f: rank(f, listed))
        named = [file for file in best_first if file.view in listed and not only_primary]
        chosen += [*(named or best_first[:1]), *(file for file in segment.files if file.kind not in ranked)]
    return tuple(wanted[file.id] for file in chosen)


def to_join(files: Iterable[RecordingFile]) -> int:
    """The bytes of video and sound that are to be stitched: those of a meeting with several segments."""
    parts = segments(files)
    return sum(file.size or 0 for part in parts for file in part.files if file.kind.is_media) if len(parts) > 1 else 0
