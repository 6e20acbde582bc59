"""What becomes of an item when Zoom has more: what stays, what is built again, what becomes a part. Pure.

`layout.wanted` says what the item should contain; `arrange` reconciles that with what is stored already. It guarantees,
whatever comes and goes in Zoom between the passes:

1. *Nothing is done twice.* A file is new if the receipt does not cover it. An output without a new file is not built:
   it stays as it is stored, also if the config changed. One that is not stored is built of known files only along with
   others that fetch all of them anyway, and only if no original of it is stored.
2. *Nothing is built from less.* An output is built as a whole only if every input can be fetched again.
3. *Nothing stored is lost.* A stored file goes only if all that it was made of is in what is built; and each cloud file
   that it is the proof of is in there with its bytes, or in an original that stays. Otherwise the output that would
   replace it is not built as a whole.
4. *What Zoom altered is something else.* A stored file that was made of media whose bytes Zoom has altered since, or of
   media that lie in a part since, cannot be made again: it stays.
5. *What is new is never kept back.* What cannot be built as a whole becomes a part; or, if the stored video is made of
   other views, a further video. Its role is free, and so are those of separate files under it.
6. *Originals stay*, unless they are built again themselves.
7. *If the destination cannot replace, every stored file stays.* If a stored video is made of these very files and
   only the proof of their bytes is missing, their originals are added, and nothing is made a second time.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, count

from zoomsync.model import MINUTE, CloudFile, Fetched, Receipt, RecordingFile, StoredFile
from zoomsync.rules.layout import How, Output, numbers, original, safe, wanted
from zoomsync.rules.segments import VIEWS, has_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """What to do to an item: the stored files that stay, and the outputs to build."""

    keep: tuple[StoredFile, ...]
    build: tuple[Output, ...]
    known: tuple[RecordingFile, ...]
    """All files that the item is or was made of: those in the cloud, then those that are not there any more."""

    @property
    def fetch(self) -> tuple[RecordingFile, ...]:
        """The cloud files that building needs, each once."""
        return tuple({file.id: file for output in self.build for file in output.inputs}.values())


def arrange(
    files: Iterable[RecordingFile],
    previous: Receipt | None,
    *,
    concatenate: bool = True,
    views: Sequence[str] = VIEWS,
    can_replace: bool = True,
) -> Arrangement:
    """Reconcile what an item should contain with what it contains; `files` are those that can be fetched now."""
    stored = previous.cloud if previous is not None else ()
    ends = {one.id: one.end for one in stored}
    files = tuple(_ending(file, ends.get(file.id)) for file in files)
    available = {file.id for file in files}
    known = (*files, *(one.as_listed() for one in stored if one.id not in available))
    outputs = wanted(known, concatenate=concatenate, views=views)
    if previous is None:
        return Arrangement(keep=(), build=outputs, known=known)
    return _Update(outputs, previous, available, can_replace=can_replace).arrangement(known)


class _Update:
    """What becomes of a stored item now that Zoom has more. The numbers are those of the guarantees."""

    def __init__(
        self, outputs: Sequence[Output], previous: Receipt, available: AbstractSet[str], *, can_replace: bool
    ) -> None:
        self._stored = previous.files
        self._cloud = previous.cloud
        self._can_replace = can_replace
        self._wanted = {output.role for output in outputs}
        self._roles = {file.role for file in previous.files}
        every = {file.id: file for output in outputs for file in output.inputs}
        self._fresh = {one for one, file in every.items() if one in available and not previous.covers(file)}
        self._new = [output for output in outputs if not self._fresh.isdisjoint(output.made_of)]
        self._complete = [output for output in outputs if set(output.made_of) <= available]  # 2
        media = [one for one in previous.cloud if one.kind.is_media]
        parts = {file.name for file in previous.files if file.role.is_part}
        self._altered = {one.id for one in media} & self._fresh
        self._moved = {one.id: one.stored for one in media if one.stored in parts}

    def arrangement(self, known: tuple[RecordingFile, ...]) -> Arrangement:
        whole = self._whole()
        rest = [one for one in self._new if one not in whole]  # 1: no output without a new file
        unproven = [one for one in rest if self._lacks_proof_only(one)]
        parts = [self._part(one) for one in rest if one not in unproven]  # 5
        built = {output.role for output in whole}
        gone = [
            file
            for file in self._stored
            if file.role in built
            or (file.role not in self._wanted and not file.role.is_original and self._is_in(file, whole))  # 3, 6
        ]
        keep = tuple(file for file in self._stored if file not in gone)
        proofs = self._proofs(unproven, known) if unproven else []
        return Arrangement(keep=keep, build=(*whole, *parts, *proofs), known=known)

    def _whole(self) -> list[Output]:
        """What can be built as a whole: outputs with a new file, and what else becomes of the files in them."""
        chosen = [output for output in self._complete if output in self._new]
        while True:
            inside = _made_of(chosen)
            kept = {file.made_of for file in self._originals(chosen)}
            known = [one for one in self._complete if one.role not in self._roles and one not in self._new]
            whole = [*chosen, *(one for one in known if set(one.made_of) <= inside and one.made_of not in kept)]  # 1
            harmless = [one for one in chosen if all(self._is_in(file, whole) for file in self._under(one))]  # 3
            if harmless == chosen:
                return whole
            chosen = harmless

    def _is_in(self, file: StoredFile, whole: Sequence[Output]) -> bool:
        """Whether all of a stored file is in what is built, so that it may go."""
        if not self._can_replace:  # 7
            return False
        moved = {one for one, part in self._moved.items() if part != file.name}
        if not (self._altered | moved).isdisjoint(file.made_of):  # 4
            return False
        proven = {one.id for one in self._cloud if one.stored == file.name}
        bytes_in = _made_of(one for one in whole if one.is_lossless) | _made_of(self._originals(whole))
        return set(file.made_of) <= _made_of(whole) and proven <= bytes_in  # 3

    def _originals(self, whole: Sequence[Output]) -> list[StoredFile]:
        """Stored segments, as they were last fetched, that stay (6)."""
        built = {output.role for output in whole}
        fetched = {((one.id,), one.sha256) for one in self._cloud}
        originals = (file for file in self._stored if file.role.is_original and file.role not in built)
        return [file for file in originals if (file.made_of, file.sha256) in fetched]

    def _under(self, output: Output) -> list[StoredFile]:
        """The stored files in whose place an output comes: of its role, or its segments as separate files."""
        return [
            file
            for file in self._stored
            if file.role == output.role or (file.role not in self._wanted and file.role.is_single(output.role))
        ]

    def _part(self, output: Output) -> Output:
        """What is new of an output that cannot be built as a whole, beside what is stored."""
        new = tuple(file for file in output.inputs if file.id in self._fresh)
        part = output.alone(new[0]) if len(new) == 1 and output.is_lossless else replace(output, inputs=new)
        is_of_others = any(not set(file.made_of) <= set(output.made_of) for file in self._under(output))
        view = [safe(new[0].label)] if is_of_others and output.inputs[0].kind.is_media else []
        further = (part.numbered(word) for word in chain(view, (f"part-{number}" for number in count(2))))
        taken = self._roles | self._wanted
        return next(one for one in further if not any(role.is_within(one.role) for role in taken))

    def _lacks_proof_only(self, output: Output) -> bool:
        """Whether it is stored for good, made of these very files, and only what proves their bytes is missing (7)."""
        fresh = self._fresh & set(output.made_of)
        is_made = any(fresh <= set(file.made_of) for file in self._stored if not file.role.is_original)
        is_unknown = fresh.isdisjoint(one.id for one in self._cloud)
        return not self._can_replace and output.how is not How.KEEP and is_made and is_unknown

    def _proofs(self, unproven: Sequence[Output], known: Iterable[RecordingFile]) -> list[Output]:
        """The segments of videos, as fetched: texts have theirs beside them anyway."""
        segment = numbers(known)
        inputs = {file.id: file for one in unproven if one.how is How.STITCH for file in one.inputs}
        return [original(file, segment[one]) for one, file in inputs.items() if one in self._fresh]


def recognized(
    previous: Receipt, arrived: Iterable[tuple[RecordingFile, Fetched]], listed: AbstractSet[str]
) -> Receipt:
    """The receipt once bytes that came turn out to be stored already: only what it says of cloud files changes.

    Zoom lists such a file with another size or start than before, or under another id
    (https://github.com/JosephMcEvoy/PSZoom/issues/7); if not under the old one too, the new one takes its place.
    `listed` are the ids that Zoom lists now.
    """
    cloud, renamed = {one.id: one for one in previous.cloud}, dict[str, str]()
    for file, fetched in arrived:
        same = [one for one in cloud.values() if one.sha256 == fetched.sha256 and _may_be(one, file)]
        for known in sorted(same, key=lambda one: (one.id != file.id, one.id in listed))[:1]:
            cloud[file.id] = CloudFile.of(_ending(file, known.end), fetched, known.stored)
            if known.id not in listed:
                del cloud[known.id]
                renamed[known.id] = file.id
    files = (replace(one, made_of=tuple(renamed.get(id_, id_) for id_ in one.made_of)) for one in previous.files)
    return replace(previous, files=tuple(files), cloud=tuple(cloud.values()))


def _ending(file: RecordingFile, known: datetime | None) -> RecordingFile:
    """The file; if Zoom does not say when it ends, with the end that is known of it."""
    return file if has_end(file) or known is None else replace(file, end=known)


def _may_be(known: CloudFile, file: RecordingFile) -> bool:
    """Whether a file of the same bytes is the same recording: two segments may have chats that are alike."""
    if known.id == file.id:
        return True
    is_near = known.start == file.start or (known.start and file.start and abs(known.start - file.start) <= MINUTE)
    return bool(is_near) and (known.kind, known.type, known.view) == (file.kind, file.type, file.view)


def _made_of(files: Iterable[Output | StoredFile]) -> set[str]:
    return {one for file in files for one in file.made_of}
