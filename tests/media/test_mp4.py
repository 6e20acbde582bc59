from pathlib import Path

import pytest

from zoomsync.errors import DownloadFailed
from zoomsync.files import CHUNK
from zoomsync.media import mp4


def an_atom(kind: str, content: bytes = b"") -> bytes:
    return (8 + len(content)).to_bytes(4) + kind.encode() + content


def a_long_atom(kind: str, content: bytes = b"") -> bytes:
    return (1).to_bytes(4) + kind.encode() + (16 + len(content)).to_bytes(8) + content


def an_open_atom(kind: str, content: bytes = b"") -> bytes:
    return (0).to_bytes(4) + kind.encode() + content


HEAD = an_atom("ftyp", b"isom")
INDEX = an_atom("moov", b"index")
WHOLE = HEAD + INDEX + an_atom("mdat", b"frames")


def complaint(folder: Path, content: bytes, size: int | None = None) -> str:
    path = folder / "a.mp4"
    path.write_bytes(content)
    try:
        rest = mp4.check(path, len(content) if size is None else size)
    except DownloadFailed as failure:
        return str(failure).removeprefix("a.mp4: ")
    return f"{rest} behind it" if rest else ""


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(WHOLE, id="index first"),
        pytest.param(HEAD + an_atom("mdat", b"frames") + INDEX, id="index last"),
        pytest.param(HEAD + INDEX + an_atom("free") + a_long_atom("mdat", b"frames"), id="a 64-bit size"),
        pytest.param(HEAD + INDEX + an_open_atom("mdat", b"frames"), id="the last atom without a size"),
    ],
)
def test_whole_files_pass(tmp_path: Path, content: bytes) -> None:
    assert complaint(tmp_path, content) == ""


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        pytest.param(WHOLE[:-1], "not a whole mp4: cut inside its mdat atom", id="cut"),
        pytest.param(HEAD + INDEX, "not a whole mp4: no mdat atom", id="cut between atoms"),
        pytest.param(HEAD + an_atom("mdat"), "not a whole mp4: no moov atom", id="no index"),
        pytest.param(HEAD + b"\0\0\0\7free", f"not a whole mp4: no atom at byte {len(HEAD)}", id="too small a size"),
        pytest.param(b"<!doctype html><html>", "not a whole mp4: cut inside its ctyp atom", id="a web page"),
        pytest.param(b"", "not a whole mp4: no ftyp and no moov and no mdat atom", id="empty"),
    ],
)
def test_what_is_not_whole_is_named(tmp_path: Path, content: bytes, fact: str) -> None:
    assert complaint(tmp_path, content) == fact


@pytest.mark.parametrize(
    ("rest", "is_blank"),
    [
        pytest.param(bytes(16), True, id="zeros"),
        pytest.param(b"\0", True, id="one zero"),
        pytest.param(b"\0\0\0\7free", False, id="too small a size"),
        pytest.param(b"<html>not found</html>", False, id="looks like an atom"),
        pytest.param(bytes(16) + b"x", False, id="zeros and more"),
        pytest.param(bytes(2 * CHUNK) + b"x", False, id="many zeros and more"),
    ],
)
def test_what_lies_behind_a_whole_file_is_counted(tmp_path: Path, rest: bytes, *, is_blank: bool) -> None:
    assert complaint(tmp_path, WHOLE + rest) == f"{len(rest)} behind it"
    assert mp4.is_blank(tmp_path / "a.mp4", len(rest)) is is_blank


def test_no_beginning_of_a_file_passes_for_the_whole(tmp_path: Path) -> None:
    assert all(complaint(tmp_path, WHOLE[:size]) for size in range(len(WHOLE)))


def test_another_size_than_announced_is_named(tmp_path: Path) -> None:
    assert complaint(tmp_path, WHOLE, size=99) == f"{len(WHOLE)} bytes instead of 99"


def test_a_file_that_is_not_there_is_a_failed_download(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"^a\.mp4: No such file or directory$"):
        mp4.check(tmp_path / "a.mp4", 10)
