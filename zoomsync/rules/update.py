"""What becomes of an item when Zoom has more: what stays, what is rebuilt, what becomes a part. Pure.

`layout.wanted` says what the item should hold, `arrange` reconciles that with what is stored already.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from zoomsync.model import Receipt, RecordingFile, Role, StoredFile
from zoomsync.rules.layout import How, Output, alone, numbered, numbers, original, safe


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """What to do to an item: the stored files that stay, and the outputs to build."""

    keep: tuple[StoredFile, ...]
    build: tuple[Output, ...]

    @property
    def fetch(self) -> tuple[RecordingFile, ...]:
        """The cloud files that building needs, each once."""
        return tuple({file.id: file for output in self.build for file in output.inputs}.values())


def arrange(
    outputs: Sequence[Output], previous: Receipt | None, *, available: AbstractSet[str], can_replace: bool = True
) -> Arrangement:
    """Reconcile what an item should hold with what it holds; `available`: ids that can be fetched now.

    An output without anything new stays as it is stored. One with something new is built, if every input can be fetched
    again and no stored file would be replaced whose content is not in what is built; otherwise what is new becomes a
    part (or, for a view that newly ranks best, a further video). Nothing is ever built from less.
    At a destination that cannot replace (`can_replace`) every stored file stays.
    """
    if previous is None:
        return Arrangement(keep=(), build=tuple(output for output in outputs if set(output.made_of) <= available))
    return _Update(outputs, previous, available, can_replace=can_replace).arrangement()


class _Update:
    """What becomes of a stored item now that Zoom has more."""

    def __init__(
        self, outputs: Sequence[Output], previous: Receipt, available: AbstractSet[str], *, can_replace: bool
    ) -> None:
        self._outputs = outputs
        self._can_replace = can_replace
        self._wanted = {output.role for output in outputs}
        self._stored = previous.files
        self._roles = {file.role for file in previous.files}
        self._held = {file.name: {one.id for one in previous.cloud if one.stored == file.name} for file in self._stored}
        self._known = {one.id for one in previous.cloud}
        self._fetched = {((one.id,), one.sha256) for one in previous.cloud}
        every = {file.id: file for output in outputs for file in output.inputs}
        self._fresh = {one for one, file in every.items() if one in available and not previous.covers(file)}
        media = [one for one in previous.cloud if one.kind.is_media]
        parts = {file.name for file in self._stored if file.role.is_part}
        self._altered = {one.id for one in media} & self._fresh
        """Media whose bytes are others than those stored: nothing made of them is the same again."""
        self._moved = {one.id: one.stored for one in media if one.stored in parts}
        """Media in parts: what else was made of them was made of what they were before they were altered."""
        self._complete = [output for output in outputs if set(output.made_of) <= available]

    def arrangement(self) -> Arrangement:
        whole = self._whole()
        taken = self._roles | self._wanted
        rest = [one for one in self._outputs if one not in whole and self._is_new(one)]
        unproven = [one for one in rest if self._is_unproven(one)]
        parts = [self._part(one, taken) for one in rest if one not in unproven]
        keep = tuple(file for file in self._stored if not self._is_replaced(file, whole))
        return Arrangement(keep=keep, build=(*whole, *parts, *self._proofs(unproven)))

    def _is_unproven(self, output: Output) -> bool:
        """Whether it is stored for good, made of these very files, and only what proves their bytes is missing."""
        fresh = self._fresh & set(output.made_of)
        is_made = any(fresh <= set(file.made_of) for file in self._stored if not file.role.is_original)
        return not self._can_replace and output.how is not How.KEEP and is_made and self._known.isdisjoint(fresh)

    def _proofs(self, unproven: Sequence[Output]) -> list[Output]:
        """The segments of videos, as fetched: texts have theirs beside them anyway."""
        segment = numbers({file.id: file for one in self._outputs for file in one.inputs}.values())
        inputs = {file.id: file for one in unproven if one.how is How.STITCH for file in one.inputs}
        return [original(file, segment[one]) for one, file in inputs.items() if one in self._fresh]

    def _is_new(self, output: Output) -> bool:
        return not self._fresh.isdisjoint(output.made_of)

    def _whole(self) -> list[Output]:
        """What can be built as a whole: those with something new, and what else becomes of the files in them."""
        chosen = [output for output in self._complete if self._is_new(output)]
        while True:
            whole = [*chosen, *self._along(chosen)]
            harmless = [one for one in chosen if all(self._is_in(file, whole) for file in self._under(one))]
            if harmless == chosen:
                return whole
            chosen = harmless

    def _along(self, chosen: Sequence[Output]) -> list[Output]:
        inside = _made_of(chosen)
        originals = {file.made_of for file in self._originals(chosen)}
        missing = (one for one in self._complete if one.role not in self._roles and not self._is_new(one))
        return [one for one in missing if set(one.made_of) <= inside and one.made_of not in originals]

    def _originals(self, whole: Sequence[Output]) -> list[StoredFile]:
        """Stored segments as last fetched, which stay."""
        replaced = {output.role for output in whole}
        originals = (file for file in self._stored if file.role.is_original and file.role not in replaced)
        return [file for file in originals if (file.made_of, file.sha256) in self._fetched]

    def _under(self, output: Output) -> list[StoredFile]:
        """The stored files in whose place an output comes: of its role, or its segments as separate files."""
        return [
            file
            for file in self._stored
            if file.role == output.role or (file.role not in self._wanted and file.role.is_single(output.role))
        ]

    def _is_in(self, file: StoredFile, whole: Sequence[Output]) -> bool:
        """Whether all of a stored file is in what is built, also the bytes of which it is the proof; and may go."""
        if not self._can_replace:
            return False
        proof = _made_of(one for one in whole if one.holds) | _made_of(self._originals(whole))
        moved = {one for one, part in self._moved.items() if part != file.name}
        is_same = (self._altered | moved).isdisjoint(file.made_of)
        return is_same and set(file.made_of) <= _made_of(whole) and self._held[file.name] <= proof

    def _is_replaced(self, file: StoredFile, whole: Sequence[Output]) -> bool:
        if any(output.role == file.role for output in whole):
            return True
        return file.role not in self._wanted and not file.role.is_original and self._is_in(file, whole)

    def _part(self, output: Output, taken: AbstractSet[Role]) -> Output:
        """What is new of an output that cannot be built as a whole, beside what is stored."""
        new = tuple(file for file in output.inputs if file.id in self._fresh)
        part = alone(output, new[0]) if len(new) == 1 and output.holds else replace(output, inputs=new)
        view = numbered(part, safe(new[0].label))
        is_other = any(not set(file.made_of) <= set(output.made_of) for file in self._under(output))
        if is_other and output.inputs[0].kind.is_media and _is_free(view.role, taken):
            return view
        number = 2
        while not _is_free(output.role.further(f"part-{number}"), taken):
            number += 1
        return numbered(part, f"part-{number}")


def _is_free(role: Role, taken: AbstractSet[Role]) -> bool:
    """Whether neither this role is taken nor one of separate files under it."""
    return not any(other.is_within(role) for other in taken)


def _made_of(files: Iterable[Output | StoredFile]) -> set[str]:
    return {one for file in files for one in file.made_of}
