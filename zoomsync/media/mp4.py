"""The skeleton of an MP4 file: its top-level atoms. A cut file is found without running anything.

Layout: ISO/IEC 14496-12, 4.2: a 32-bit size and a four-letter type; size 1 means that a 64-bit size follows,
size 0 that the atom goes to the end of the file.
"""

from pathlib import Path
from typing import IO

from zoomsync.errors import DownloadFailed
from zoomsync.files import CHUNK, open_file

NEEDED = ("ftyp", "moov", "mdat")
HINT = "it is fetched again on the next try"


def check(path: Path, size: int) -> int:
    """The bytes behind the last atom of `path`, an MP4 or M4A file of `size` bytes that has all it needs: usually 0.

    Raises `DownloadFailed`, which says what is wrong.
    """
    try:
        with open_file(path) as file:
            if (real := file.seek(0, 2)) != size:
                raise DownloadFailed(f"{path.name}: {real} bytes instead of {size}", hint=HINT)
            found, end, fact = _atoms(file, size)
    except OSError as cause:
        raise DownloadFailed(f"{path.name}: {cause.strerror}") from cause
    if missing := [one for one in NEEDED if one not in found]:
        fact = fact or f"no {' and no '.join(missing)} atom"
        raise DownloadFailed(f"{path.name}: not a whole mp4: {fact}", hint=HINT)
    return size - end


def is_blank(path: Path, rest: int) -> bool:
    """Whether the last `rest` bytes are all zero: room that a writer reserved and did not need."""
    with open_file(path) as file:
        file.seek(-rest, 2)
        return all(not any(chunk) for chunk in iter(lambda: file.read(CHUNK), b""))


def _atoms(file: IO[bytes], size: int) -> tuple[set[str], int, str]:
    """The types of the top-level atoms, where the last whole one ends, and why it does not go on there if it must."""
    found: set[str] = set()
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
        found.add(kind)
        place += length
    return found, place, ""
