"""Every deletion can be accounted for."""

import json
import os
import resource
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import NOW, SHA, FakeClock, a_file, a_meeting, a_receipt, an_entry
from zoomsync.errors import DiskFull, StateUnusable
from zoomsync.model import Intent, RecordingFile, Verdict
from zoomsync.state.audit import Audit, read

INTENT = Intent(id="1" * 32, at=NOW, action="delete", uuid="/abc//DEF+ghi==", target="file-video")
DELETING = {
    "at": "2026-03-10T12:00:00Z",
    "event": "deleting",
    "intent": "1" * 32,
    "pass": "c0ffee00",
    "uuid": "/abc//DEF+ghi==",
    "number": "85012345678",
    "topic": "Weekly planning",
    "host": "ada@example.org",
    "start": "2026-03-01T10:30:00Z",
    "file": "file-video",
    "kind": "video",
    "view": "shared_screen_with_speaker_view",
    "file_start": "2026-03-01T10:30:00Z",
    "size": 1000,
    "sha256": SHA,
    "action": "trash",
    "proof": {
        "destination": "library-1",
        "place": "published/ada@example.org/2026/2026-03-01 10-30 Weekly planning [00000000]",
        "stored": "video.mp4",
        "stored_size": 1000,
        "stored_sha256": SHA,
        "verified": "1 file, 1 kB, content verified",
        "verified_at": "2026-03-10T12:00:00Z",
    },
}
ANSWER = {"at": "2026-03-10T12:00:02Z", "event": "answer", "intent": "1" * 32, "pass": "c0ffee00", "answer": "204"}


def a_verdict(**changes: Any) -> Verdict:
    """A safe one on the receipt of the builders' meeting."""
    return replace(Verdict(safe=True, reason="1 file, 1 kB, content verified", receipt=a_receipt()), **changes)


def an_audit(path: Path, clock: FakeClock | None = None) -> Audit:
    return Audit(path, clock or FakeClock(), pass_id="c0ffee00")


def before(audit: Audit, *, topic: str = "Weekly planning", **changes: Any) -> None:
    """Account for the deletion of the builders' file."""
    facts: dict[str, Any] = {"file": a_file(), "verdict": a_verdict(), "action": "trash", "verified_at": NOW, **changes}
    audit.before(INTENT, an_entry(topic=topic), facts.pop("file"), facts.pop("verdict"), **facts)


def test_a_deletion_is_accounted_for_before_and_after_the_call(tmp_path: Path) -> None:
    path, clock = tmp_path / "audit.jsonl", FakeClock()
    with an_audit(path, clock) as audit:
        before(audit)
        assert list(read(path)) == [DELETING]

        clock.advance(2)
        audit.after(INTENT.id, "204")
        assert list(read(path)) == [DELETING, ANSWER]

        audit.settled("2" * 32, "gone already")
        assert list(read(path))[2:] == [
            {**ANSWER, "event": "settled", "intent": "2" * 32, "answer": "gone already"},
        ]


def test_nothing_that_was_written_is_ever_changed(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    so_far = b""
    for _ in range(3):
        with an_audit(path) as audit:
            before(audit)
            audit.after(INTENT.id, "204")
        assert path.read_bytes().startswith(so_far)
        so_far = path.read_bytes()

    assert len(list(read(path))) == 6


@pytest.mark.parametrize(
    ("file", "verdict"),
    [
        pytest.param(a_file(), a_verdict(safe=False, reason="video.mp4: missing"), id="not verified"),
        pytest.param(a_file(id="other"), a_verdict(), id="another file"),
        pytest.param(a_file(size=1001), a_verdict(), id="another size"),
        pytest.param(a_file(start=NOW), a_verdict(), id="another start"),
        pytest.param(a_file(), a_verdict(receipt=replace(a_receipt(), files=())), id="no stored file"),
    ],
)
def test_a_deletion_without_proof_cannot_be_written_down(tmp_path: Path, file: RecordingFile, verdict: Verdict) -> None:
    with an_audit(tmp_path / "audit.jsonl") as audit, pytest.raises(ValueError, match="not proven to be stored"):
        before(audit, file=file, verdict=verdict)

    assert list(read(tmp_path / "audit.jsonl")) == []


def test_the_proof_is_the_file_that_contains_it(tmp_path: Path) -> None:
    files = (a_file(id="chat", size=None, start=None), a_file())
    receipt = a_receipt(a_meeting(files=files))
    chat = replace(receipt.files[0], name="chat.txt", size=10, sha256="c0" * 32)
    cloud = (replace(receipt.cloud[0], stored="chat.txt"), receipt.cloud[1])
    verdict = a_verdict(receipt=replace(receipt, files=(*receipt.files, chat), cloud=cloud))
    with an_audit(tmp_path / "audit.jsonl") as audit:
        for file in files:
            before(audit, file=file, verdict=verdict)

    proofs = [record["proof"] for record in read(tmp_path / "audit.jsonl")]
    assert [(proof["stored"], proof["stored_sha256"]) for proof in proofs] == [
        ("chat.txt", "c0" * 32),
        ("video.mp4", SHA),
    ]


@pytest.mark.parametrize("topic", ["two\nlines", "red \x1b[31m \x9b31m", "party \ud83c", "\u202eevil", "Größe 🎈"])
def test_any_topic_comes_back_from_one_harmless_line(tmp_path: Path, topic: str) -> None:
    path = tmp_path / "audit.jsonl"
    with an_audit(path) as audit:
        before(audit, topic=topic)

    assert [record["topic"] for record in read(path)] == [topic]
    text = path.read_text()
    assert text.endswith("\n")
    assert text[:-1].isprintable()


def test_a_line_that_a_crash_cut_stays_and_the_next_begins_on_its_own(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with an_audit(path) as audit:
        before(audit)
    whole = path.read_bytes()

    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut])
        assert list(read(path)) == []
        with an_audit(path) as audit:
            audit.after(INTENT.id, "204")

        first = DELETING if cut == len(whole) - 1 else {"event": "unreadable", "line": 1}
        assert list(read(path)) == [first, {**ANSWER, "at": "2026-03-10T12:00:00Z"}], cut
        assert path.read_bytes().startswith(whole[:cut] + b"\n")


def test_what_is_no_record_is_shown_not_hidden(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_bytes(
        b"[1]\n\xff\n{}\n" + b"[" * 100_000 + b"\n" + json.dumps(ANSWER).encode() + b"\n"
    )

    assert list(read(tmp_path / "audit.jsonl")) == [
        {"event": "unreadable", "line": 1},
        {"event": "unreadable", "line": 2},
        {"event": "unreadable", "line": 3},
        {"event": "unreadable", "line": 4},
        ANSWER,
    ]


@pytest.mark.timeout(10)
def test_a_pipe_or_a_device_is_no_account(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")

    for name in ("pipe", "null"):
        with pytest.raises(StateUnusable, match=f"{name}: not a regular file"):
            an_audit(tmp_path / name)
        with pytest.raises(StateUnusable, match="not a regular file"):
            list(read(tmp_path / name))


def test_the_audit_may_be_a_link_to_a_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "kept.jsonl")

    an_audit(tmp_path / "audit.jsonl").close()

    assert (tmp_path / "kept.jsonl").is_file()


def test_without_a_file_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert list(read(tmp_path / "audit.jsonl")) == []


def test_the_audit_and_its_folder_are_private(tmp_path: Path) -> None:
    an_audit(tmp_path / "audit" / "audit.jsonl").close()

    assert stat.S_IMODE((tmp_path / "audit" / "audit.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "audit").stat().st_mode) == 0o700


def test_a_lack_of_room_is_reported_before_the_call(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    with an_audit(path) as audit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
        try:
            with pytest.raises(DiskFull, match=r"audit\.jsonl: file too large"):
                before(audit)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        before(audit)

    assert list(read(path)) == [{"event": "unreadable", "line": 1}, DELETING]


def test_a_path_that_cannot_be_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateUnusable, match=r"file/audit\.jsonl: "):
        an_audit(tmp_path / "file" / "audit.jsonl")


def test_a_line_is_on_disk_before_the_call_is_made(tmp_path: Path) -> None:
    writer = """
import os, sys
from pathlib import Path
from tests.state.test_audit import an_audit, before

order = []
for name in ("write", "fsync"):
    real = getattr(os, name)
    setattr(os, name, lambda *args, name=name, real=real: (order.append(name), real(*args))[1])
with an_audit(Path(sys.argv[1])) as audit:
    order.clear()
    before(audit)
    print(*order, flush=True)
    os.kill(os.getpid(), 9)
"""
    command = [sys.executable, "-c", writer, str(tmp_path / "audit.jsonl")]

    said = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)

    assert said.stdout == "write fsync\n"
    assert list(read(tmp_path / "audit.jsonl")) == [DELETING]
