"""The skeleton of an MP4 file: its top-level atoms. A cut file is found without running anything.

Layout: ISO/IEC 14496-12, 4.2: a 32-bit size and a four-letter type; size 1 means that a 64-bit size follows,
size 0 that the atom goes to the end of the file.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from zoomsync.errors import DownloadFailed

NEEDED = ("ftyp", "moov", "mdat")
HINT = "it is fetched again on the next try"


def check(path: Path, size: int) -> None:
    """Return when `path` is an MP4 or M4A file of `size` bytes whose atoms add up to exactly that.

    Raises `DownloadFailed`, which says what is wrong.
    """
    try:
        with path.open("rb") as file:
            if (real := file.seek(0, 2)) != size:
                raise DownloadFailed(f"{path.name}: {real} bytes instead of {size}", hint=HINT)
            found = tuple(_atoms(file, path.name, size))
    except OSError as cause:
        raise DownloadFailed(f"{path.name}: {cause.strerror}") from cause
    if missing := [one for one in NEEDED if one not in found]:
        raise DownloadFailed(f"{path.name}: not a whole mp4: no {' and no '.join(missing)} atom", hint=HINT)


def _atoms(file: BinaryIO, name: str, size: int) -> Iterator[str]:
    """The types of the top-level atoms in order."""
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
            fact = f"cut inside its {kind} atom" if is_atom else f"no atom at byte {place}"
            raise DownloadFailed(f"{name}: not a whole mp4: {fact}", hint=HINT)
        yield kind
        place += length
