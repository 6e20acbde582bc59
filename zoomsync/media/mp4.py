"""The skeleton of an MP4 file: its atoms. A cut file is found without running anything.

Layout: ISO/IEC 14496-12, 4.2: a 32-bit size and a four-letter type; size 1 means that a 64-bit size follows,
size 0 that the atom goes to the end of the file.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from struct import unpack_from
from typing import IO

from zoomsync.errors import DownloadFailed
from zoomsync.files import CHUNK, open_file

NEEDED = ("ftyp", "moov", "mdat")
HINT = "it is fetched again on the next try"


class Odd(ValueError):
    """What is in a file is malformed, or nothing that recorders write: only ffprobe can tell which."""


def expect(fact: object) -> None:
    """Raise `Odd` unless it is so."""
    if not fact:
        raise Odd


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """Where the content of a top-level atom lies."""

    kind: str
    begin: int
    end: int


def check(path: Path, size: int) -> int:
    """The bytes behind the last atom of `path`, an MP4 or M4A file of `size` bytes that has all it needs: usually 0.

    Raises `DownloadFailed`, which says what is wrong.
    """
    try:
        with open_file(path) as file:
            if (real := file.seek(0, 2)) != size:
                raise DownloadFailed(f"{path.name}: {real} bytes instead of {size}", hint=HINT)
            found, end, fact = atoms(file, size)
    except OSError as cause:
        raise DownloadFailed(f"{path.name}: {cause.strerror}") from cause
    kinds = {one.kind for one in found}
    if missing := [one for one in NEEDED if one not in kinds]:
        fact = fact or f"no {' and no '.join(missing)} atom"
        raise DownloadFailed(f"{path.name}: not a whole mp4: {fact}", hint=HINT)
    return size - end


def is_blank(path: Path, rest: int) -> bool:
    """Whether the last `rest` bytes are all zero: room that a writer reserved and did not need."""
    with open_file(path) as file:
        file.seek(-rest, 2)
        return all(not any(chunk) for chunk in iter(lambda: file.read(CHUNK), b""))


def atoms(file: IO[bytes], size: int) -> tuple[list[Atom], int, str]:
    """The top-level atoms, where the last whole one ends, and why it does not go on there if it must."""
    found: list[Atom] = []
    place = 0
    while place < size:
        file.seek(place)
        head = file.read(16)
        kind = head[4:8].decode("latin-1")
        length, least = int.from_bytes(head[:4]), 8
        if length == 1:
            length, least = int.from_bytes(head[8:16]), 16
        elif length == 0:
            length = size - place
        is_atom = min(len(head), length) >= least and len(kind) == 4 and kind.isprintable()
        if not is_atom or place + length > size:
            return found, place, f"cut inside its {kind} atom" if is_atom else f"no atom at byte {place}"
        found.append(Atom(kind=kind, begin=place + least, end=place + length))
        place += length
    return found, place, ""


class Atoms:
    """The atoms in an atom, which they fill: raises `Odd` if they do not, or if one of the `foreign` kinds is there."""

    def __init__(self, body: bytes, foreign: Collection[str] = ()) -> None:
        self._found: list[tuple[str, bytes]] = []
        place = 0
        while place < len(body):
            expect(len(body) - place >= 8)
            length, kind = unpack_from(">I4s", body, place)
            expect(8 <= length <= len(body) - place)
            self._found.append((kind.decode("latin-1"), body[place + 8 : place + length]))
            place += length
        expect(self.kinds.isdisjoint(foreign))

    @property
    def kinds(self) -> set[str]:
        return {kind for kind, _ in self._found}

    def every(self, kind: str) -> list[bytes]:
        """The content of each atom of a kind."""
        return [body for one, body in self._found if one == kind]

    def maybe(self, kind: str) -> bytes | None:
        """The content of the atom of a kind, if there is one; raises `Odd` if there are several."""
        found = self.every(kind)
        expect(len(found) <= 1)
        return found[0] if found else None

    def only(self, kind: str) -> bytes:
        """The content of the one atom of a kind; raises `Odd` if there are none or several."""
        found = self.maybe(kind)
        expect(found is not None)
        return found or b""

    def inside(self, kind: str, foreign: Collection[str] = ()) -> "Atoms":
        """The atoms in the one atom of a kind."""
        return Atoms(self.only(kind), foreign)
