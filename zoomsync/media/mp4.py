"""The skeleton of an MP4 file: its atoms. A cut file is found without running anything.

Layout: ISO/IEC 14496-12, 4.2: a 32-bit size and a four-letter type; size 1 means that a 64-bit size follows,
size 0 that the atom goes to the end of the file.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from zoomsync.errors import DownloadFailed
from zoomsync.files import CHUNK, open_file

NEEDED = ("ftyp", "moov", "mdat")
HINT = "it is fetched again on the next try"
MOST_ATOMS = 1000
"""Within an atom, or at the top, of a file that is understood."""


class Odd(ValueError):
    """What is in a file is malformed, or nothing that recorders write: only ffprobe can tell which."""


def expect(fact: object) -> None:
    """Raise `Odd` unless it is so."""
    if not fact:
        raise Odd


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """Where the content of an atom lies."""

    kind: str
    begin: int
    end: int


def check(path: Path, size: int) -> int:
    """The bytes behind the last atom of `path`, an MP4 or M4A file of `size` bytes that has all it needs: usually 0.

    Raises `DownloadFailed`, which says what is wrong.
    """
    kinds, end, fact = set(), 0, ""
    try:
        with open_file(path) as file:
            if (real := file.seek(0, 2)) != size:
                raise DownloadFailed(f"{path.name}: {real} bytes instead of {size}", hint=HINT)
            for atom in atoms(file, 0, size):
                kinds.add(atom.kind)
                end = atom.end
    except Odd as odd:
        fact = str(odd)
    except OSError as cause:
        raise DownloadFailed(f"{path.name}: {cause.strerror}") from cause
    if missing := [one for one in NEEDED if one not in kinds]:
        fact = fact or f"no {' and no '.join(missing)} atom"
        raise DownloadFailed(f"{path.name}: not a whole mp4: {fact}", hint=HINT)
    return size - end


def is_blank(path: Path, rest: int) -> bool:
    """Whether the last `rest` bytes are all zero: room that a writer reserved and did not need."""
    with open_file(path) as file:
        file.seek(-rest, 2)
        return all(not any(chunk) for chunk in iter(lambda: file.read(CHUNK), b""))


def atoms(file: IO[bytes], begin: int, end: int) -> Iterator[Atom]:
    """The atoms between two places, which they must fill; else raises `Odd` at the first that is none or is cut."""
    place = begin
    while place < end:
        file.seek(place)
        head = file.read(min(16, end - place))
        kind = head[4:8].decode("latin-1")
        length, least = int.from_bytes(head[:4]), 8
        if length == 1:
            length, least = int.from_bytes(head[8:16]), 16
        elif length == 0:
            length = end - place
        if not (min(len(head), length) >= least and len(kind) == 4 and kind.isprintable()):
            raise Odd(f"no atom at byte {place}")
        if place + length > end:
            raise Odd(f"cut inside its {kind} atom")
        yield Atom(kind=kind, begin=place + least, end=place + length)
        place += length


class Atoms:
    """The atoms in an atom, of which none is of a `foreign` kind; else raises `Odd`."""

    def __init__(self, file: IO[bytes], outer: Atom, foreign: Collection[str] = ()) -> None:
        self._file = file
        self._found = list(islice(atoms(file, outer.begin, outer.end), MOST_ATOMS + 1))
        expect(len(self._found) <= MOST_ATOMS and self.kinds.isdisjoint(foreign))

    @property
    def kinds(self) -> set[str]:
        return {one.kind for one in self._found}

    def every(self, kind: str) -> list[Atom]:
        """Each atom of a kind."""
        return [one for one in self._found if one.kind == kind]

    def only(self, kind: str) -> Atom:
        """The one atom of a kind; raises `Odd` if there are none or several."""
        found = self.every(kind)
        expect(len(found) == 1)
        return found[0]

    def inside(self, kind: str, foreign: Collection[str] = ()) -> "Atoms":
        """The atoms in the one atom of a kind."""
        return Atoms(self._file, self.only(kind), foreign)

    def content(self, kind: str, most: int = 4096) -> bytes:
        """What is in the one atom of a kind, and is no longer than this."""
        place = self.only(kind)
        expect(place.end - place.begin <= most)
        self._file.seek(place.begin)
        return self._file.read(place.end - place.begin)
