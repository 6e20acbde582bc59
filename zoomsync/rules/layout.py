"""What an item should contain: which files go into which video, how texts are joined, what all is called. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain, count

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


JOINED = {Kind.CAPTIONS: ("vtt", How.CAPTIONS), Kind.CHAT: ("txt", How.CHAT)}
"""The texts that can be joined over all segments: by kind, in which format, and how."""


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
    def is_lossless(self) -> bool:
        """Whether it contains its inputs whole; joined texts do not."""
        return self.how in (How.KEEP, How.STITCH)

    def numbered(self, word: int | str) -> "Output":
        """It as one of several of its kind: `video.gallery_view.mp4`, 2 → `video.2.gallery_view.mp4`.

        The word stands behind the first one, so that players find the captions of the same name.
        """
        stem, _, rest = self.name.partition(".")
        return replace(self, role=self.role.further(word), name=f"{stem}.{word}.{rest}")

    def alone(self, file: RecordingFile) -> "Output":
        """It with one of its inputs alone, as fetched."""
        name = f"{self.name.rpartition('.')[0]}.{extension(file)}"
        return replace(self, name=name, how=How.KEEP, inputs=(file,))

    def separate(self) -> tuple["Output", ...]:
        """What there is instead of a video whose segments cannot be joined: each segment as a video of its own."""
        return tuple(self.alone(file).numbered(n) for n, file in enumerate(self.inputs, 1))


def wanted(
    files: Iterable[RecordingFile], *, concatenate: bool = True, views: Sequence[str] = VIEWS
) -> tuple[Output, ...]:
    """What the item of a meeting with these (selected, complete) files should contain; no two of one role or name."""
    parts = segments(files)
    has_media = any(file.kind.is_media for part in parts for file in part.files)
    if len(parts) == 1 or (concatenate and has_media):
        outputs = [*_media(parts, views), *_texts(parts)]
    else:
        each = ([*_media((part,), views), *_texts((part,))] for part in parts)
        outputs = [output.numbered(number) for number, own in enumerate(each, 1) for output in own]
    unique: dict[Role, Output] = {}
    for output in outputs:  # types that Zoom spells differently can look the same in a file name
        taken = {one.name for one in unique.values()}
        variants = chain([output], (output.numbered(f"twin-{number}") for number in count(2)))
        one = next(one for one in variants if one.role not in unique and one.name not in taken)
        unique[one.role] = one
    return tuple(unique.values())


def original(file: RecordingFile, number: int, label: str = "") -> Output:
    """A file of this segment as it was fetched, beside what was made of it."""
    role = Role(ORIGINAL, (safe(label or file.label),), number)
    return Output(role=role, name=f"{role}.{extension(file)}", how=How.KEEP, inputs=(file,))


def numbers(files: Iterable[RecordingFile]) -> dict[str, int]:
    """File id → number of its segment, from 1."""
    return {file.id: n for n, part in enumerate(segments(files), 1) for file in part.files}


def _media(parts: Sequence[Segment], views: Sequence[str]) -> list[Output]:
    """The primary, spanning all segments by the best view of each, then each further view and the sound."""
    media = [[file for file in part.files if file.kind.is_media] for part in parts]
    media = [files for files in media if files]
    if not media:
        return []
    primary = tuple(min(files, key=lambda file: rank(file, views)) for files in media)
    outputs = [_medium("", primary)]
    ranked = sorted((*rank(file, views), _track(file, files)) for files in media for file in files)
    for track in dict.fromkeys(key[-1] for key in ranked):
        inputs = tuple(file for files in media for file in files if _track(file, files) == track)
        if not set(inputs) <= set(primary):
            outputs.append(_medium(track, inputs))
    return outputs


def _medium(track: str, inputs: tuple[RecordingFile, ...]) -> Output:
    """A video or sound made of these files; the primary is of no `track`."""
    kind = Kind.VIDEO if any(file.kind is Kind.VIDEO for file in inputs) else Kind.AUDIO
    is_plain = not track or (kind is Kind.AUDIO and track in ("audio_only", "m4a"))
    role = Role(kind.value, () if is_plain else (safe(track),))
    ending = extension(inputs[0]) if len(inputs) == 1 else {Kind.VIDEO: "mp4", Kind.AUDIO: "m4a"}[kind]
    how = How.KEEP if len(inputs) == 1 else How.STITCH
    return Output(role=role, name=f"{role}.{ending}", how=how, inputs=inputs)


def _track(file: RecordingFile, segment: Sequence[RecordingFile]) -> str:
    """Which further video or text a file belongs to; a second file of the same view in one segment gets its own."""
    twins = [other for other in segment if (other.kind, other.view) == (file.kind, file.view)]
    number = twins.index(file) + 1
    label = file.view or file.type.lower()
    return label if number == 1 else f"{label}-{number}"


def _texts(parts: Sequence[Segment]) -> list[Output]:
    """Captions and chat joined over all segments with their originals beside; the rest as fetched."""
    labels: dict[str, str] = {}
    tracks: dict[tuple[Kind, str], list[tuple[int, RecordingFile]]] = {}
    for number, part in enumerate(parts, 1):
        texts = [file for file in part.files if not file.kind.is_media]
        for file in texts:
            labels[file.id] = _track(file, texts)
            # Zoom names no language: which of two files of a kind goes on with which of the next segment, nothing says.
            label = _track(file, (file,)) if len(parts) > 1 and file.kind in JOINED else labels[file.id]
            tracks.setdefault((file.kind, label), []).append((number, file))
    outputs: list[Output] = []
    for (kind, label), found in tracks.items():
        ending, how = JOINED.get(kind, ("", How.KEEP))
        fitting = [(number, file) for number, file in found if extension(file) == ending]
        files = tuple(file for _, file in fitting or found)
        role, name = _text_name(files[0], label)
        if len(parts) == 1 or (len(files) == 1 and kind is Kind.SUMMARY):
            own = [Output(role=role, name=name, how=How.KEEP, inputs=files)]
        else:
            is_joined = {number for number, _ in fitting} == {number for number, _ in found}
            joined = [Output(role=role, name=name, how=how, inputs=files)] if is_joined else []
            own = [*joined, *(original(file, number, labels[file.id]) for number, file in found)]
        taken = {output.role for output in outputs}
        outputs += [output.numbered(safe(label)) if output.role in taken else output for output in own]
    return outputs


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


def safe(label: str) -> str:
    """A recording type as part of a file name: Zoom's own names have letters, digits, `_` and `(CC)`."""
    cleaned = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in label)
    return cleaned.strip("_")[:60] or "file"


def extension(file: RecordingFile) -> str:
    """The extension under which a file is stored."""
    cleaned = "".join(c for c in file.extension.lower() if c.isascii() and c.isalnum())
    return cleaned[:8] or {Kind.VIDEO: "mp4", Kind.AUDIO: "m4a"}.get(file.kind, "bin")
