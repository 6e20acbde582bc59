"""What an item should hold: which files go into which video, how texts are joined, what all is called. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from zoomsync.model import Kind, RecordingFile, Role, Segment
from zoomsync.model.item import ORIGINAL
from zoomsync.rules.segments import VIEWS, rank, segments


class How(StrEnum):
    """How an output comes from its inputs."""

    KEEP = "keep"
    """The bytes as fetched: exactly one input."""
    STITCH = "stitch"
    CAPTIONS = "captions"
    CHAT = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file that the item should have, and what it is made of."""

    role: Role
    name: str
    how: How
    inputs: tuple[RecordingFile, ...]

    @property
    def made_of(self) -> tuple[str, ...]:
        """The ids of its inputs, in order."""
        return tuple(file.id for file in self.inputs)

    @property
    def holds(self) -> bool:
        """Whether it contains its inputs whole; joined texts do not."""
        return self.how in (How.KEEP, How.STITCH)


def wanted(
    files: Iterable[RecordingFile], *, concatenate: bool = True, views: Sequence[str] = VIEWS
) -> tuple[Output, ...]:
    """What the item of a meeting with these (selected, complete) files should hold."""
    parts = segments(files)
    has_media = any(file.kind.is_media for part in parts for file in part.files)
    is_whole = len(parts) == 1 or (concatenate and has_media)
    if not is_whole:
        return _distinct(output for n, part in enumerate(parts, 1) for output in _separate(part, n, views))
    return _distinct((*_videos(parts, views), *_texts(parts)))


def _distinct(outputs: Iterable[Output]) -> tuple[Output, ...]:
    """No two of the same role or name: types that Zoom spells differently can look the same in a file name."""
    taken: dict[Role, Output] = {}
    for output in outputs:
        number, one = 2, output
        while one.role in taken or any(one.name == other.name for other in taken.values()):
            one, number = numbered(output, f"twin-{number}"), number + 1
        taken[one.role] = one
    return tuple(taken.values())


def separate(output: Output) -> tuple[Output, ...]:
    """The outputs of a video whose segments cannot be joined: each segment its own video."""
    return tuple(numbered(alone(output, file), n) for n, file in enumerate(output.inputs, 1))


def alone(output: Output, file: RecordingFile) -> Output:
    """The output with one of its inputs alone, as fetched."""
    name = f"{output.name.rpartition('.')[0]}.{extension(file)}"
    return replace(output, name=name, how=How.KEEP, inputs=(file,))


def original(file: RecordingFile, number: int) -> Output:
    """A file of this segment as it was fetched, beside what was made of it."""
    role = Role(ORIGINAL, (safe(file.label),), number)
    return Output(role=role, name=f"{role}.{extension(file)}", how=How.KEEP, inputs=(file,))


def numbers(files: Iterable[RecordingFile]) -> dict[str, int]:
    """File id → number of its segment, from 1."""
    return {file.id: n for n, part in enumerate(segments(files), 1) for file in part.files}


def numbered(output: Output, number: int | str) -> Output:
    """The output as one of several of its kind: `video.mp4`, 2 → `video.2.mp4`."""
    return replace(output, role=output.role.further(number), name=_numbered(output.name, number))


def _separate(part: Segment, number: int, views: Sequence[str]) -> list[Output]:
    return [numbered(output, number) for output in (*_videos((part,), views), *_texts((part,)))]


def _numbered(name: str, number: int | str) -> str:
    """`video.gallery_view.mp4`, 2 → `video.2.gallery_view.mp4`: players find the captions of the same name."""
    stem, _, rest = name.partition(".")
    return f"{stem}.{number}.{rest}"


def _videos(parts: Sequence[Segment], views: Sequence[str]) -> list[Output]:
    """The primary, spanning all segments by the best view of each, then each further view and the sound."""
    media = [[file for file in part.files if file.kind.is_media] for part in parts]
    media = [files for files in media if files]
    if not media:
        return []
    primary = tuple(min(files, key=lambda file: rank(file, views)) for files in media)
    outputs = [_media("", primary)]
    for key in _further(media, views):
        tracks = tuple(file for files in media for file in files if _track(file, files) == key)
        if not set(tracks) <= set(primary):
            outputs.append(_media(key, tracks))
    return outputs


def _track(file: RecordingFile, segment: Sequence[RecordingFile]) -> str:
    """Which further video a file belongs to; a second file of the same view in one segment gets its own."""
    twins = [other for other in segment if (other.kind, other.view) == (file.kind, file.view)]
    number = twins.index(file) + 1
    label = file.view or file.type.lower()
    return label if number == 1 else f"{label}-{number}"


def _further(media: Sequence[Sequence[RecordingFile]], views: Sequence[str]) -> list[str]:
    keyed = {(*rank(file, views), _track(file, files)): _track(file, files) for files in media for file in files}
    return list(dict.fromkeys(keyed[key] for key in sorted(keyed)))


def _media(key: str, inputs: tuple[RecordingFile, ...]) -> Output:
    stem = "video" if any(file.kind is Kind.VIDEO for file in inputs) else "audio"
    ending = extension(inputs[0]) if len(inputs) == 1 else {"video": "mp4", "audio": "m4a"}[stem]
    if stem == "audio" and key in ("audio_only", "m4a"):
        key = ""
    role = Role(stem, (safe(key),) if key else ())
    how = How.KEEP if len(inputs) == 1 else How.STITCH
    return Output(role=role, name=f"{role}.{ending}", how=how, inputs=inputs)


def safe(label: str) -> str:
    """A recording type as part of a file name: Zoom's own names have letters, digits, `_` and `(CC)`."""
    cleaned = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in label)
    return cleaned.strip("_")[:60] or "file"


def _texts(parts: Sequence[Segment]) -> list[Output]:
    """Captions and chat joined over all segments with their originals beside; the rest as fetched."""
    texts = [[file for file in part.files if not file.kind.is_media] for part in parts]
    tracks: dict[tuple[Kind, str], list[tuple[int, RecordingFile]]] = {}
    for number, files in enumerate(texts, 1):
        for file in files:
            tracks.setdefault((file.kind, _track(file, files)), []).append((number, file))
    outputs: list[Output] = []
    taken: set[Role] = set()
    for (_, label), found in tracks.items():
        for output in _text(label, found, is_single=len(parts) == 1):
            role = output.role if output.role not in taken else output.role.further(safe(label))
            name = output.name if role == output.role else _numbered(output.name, safe(label))
            taken.add(role)
            outputs.append(replace(output, role=role, name=name))
    return outputs


def _text(label: str, found: Sequence[tuple[int, RecordingFile]], *, is_single: bool) -> list[Output]:
    files = tuple(file for _, file in found)
    role, name = _text_name(files[0], label)
    if is_single or (len(files) == 1 and files[0].kind is Kind.SUMMARY):
        return [Output(role=role, name=name, how=How.KEEP, inputs=files)]
    originals = [
        Output(
            role=Role(ORIGINAL, (safe(label),), n),
            name=f"segments/{n} {safe(label)}.{extension(file)}",
            how=How.KEEP,
            inputs=(file,),
        )
        for n, file in found
    ]
    how = _joined(files)
    return originals if how is None else [Output(role=role, name=name, how=how, inputs=files), *originals]


def _joined(files: Sequence[RecordingFile]) -> How | None:
    """How text files of all segments become one; None: they cannot."""
    kind, endings = files[0].kind, {extension(file) for file in files}
    if kind is Kind.CAPTIONS and endings == {"vtt"}:
        return How.CAPTIONS
    return How.CHAT if kind is Kind.CHAT and endings == {"txt"} else None


def _text_name(file: RecordingFile, label: str) -> tuple[Role, str]:
    """Role and name: captions are named like the video, so that players load them by themselves."""
    if file.kind is Kind.CAPTIONS and label == "audio_transcript":
        return Role("captions"), f"video.{extension(file)}"
    if file.kind is Kind.CAPTIONS:
        short = "cc" if label in ("closed_caption", "cc") else safe(label)
        return Role("captions", (short,)), f"video.{short}.{extension(file)}"
    if file.kind is Kind.CHAT and label in ("chat_file", "chat"):
        return Role("chat"), f"chat.{extension(file)}"
    return Role(file.kind.value, (safe(label),)), f"{safe(label)}.{extension(file)}"


def extension(file: RecordingFile) -> str:
    """The extension under which a file is stored."""
    cleaned = "".join(c for c in file.extension.lower() if c.isascii() and c.isalnum())
    return cleaned[:8] or {Kind.VIDEO: "mp4", Kind.AUDIO: "m4a"}.get(file.kind, "bin")
