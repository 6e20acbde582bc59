"""What comes is not always what Zoom lists: what counts as the file, and what of it is ever deleted."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site, served
from tests.sandbox import faults, texts
from tests.sandbox.content import Text
from tests.sandbox.stage import Stage
from tests.sandbox.world import ZoomFile
from zoomsync.model import Phase
from zoomsync.state import State

SECOND = timedelta(seconds=1)
DELETING: dict[str, Any] = {"delete_recordings": "trash", "filter_accounts": ["alice@example.org"]}
KINDS = {
    "transcript": (texts.captions(), "TRANSCRIPT", "audio_transcript", "VTT"),
    "captions": (texts.captions(), "CC", "closed_caption", "VTT"),
    "chat": (texts.chat(), "CHAT", "chat_file", "TXT"),
    "timeline": (texts.timeline(), "TIMELINE", "timeline", "JSON"),
    "poll": (Text(b"question,answer\r\nWhy,Because\r\n"), "CSV", "poll", "CSV"),
    "picture": (Text(b"\xff\xd8\xff\xe0" + bytes(60)), "JPG", "thumbnail", "JPG"),
}


def with_text(stage: Stage, kind: str = "chat", **more: Any) -> ZoomFile:
    """A meeting of one video and one text."""
    stage.meeting("m", "alice", 2, "M")
    stage.video("m", seconds=1)
    content, *how = KINDS[kind]
    return stage.file("m", content, *how, seconds=1, **more)


def of(file: ZoomFile) -> str:
    """The path from which its bytes come."""
    return f"/ssrweb/{file.id}"


def deleted(site: Site) -> list[str]:
    """What Zoom really deleted."""
    return [id_ for _, id_, _ in site.world.deletions]


def kept(site: Site) -> list[str]:
    """Why cloud copies stay, as `status` says."""
    return [row["reason"] for row in site.run("--json", "status").document["kept"]]


def story(site: Site) -> str:
    return site.run("status", "--meeting", site.uuid("m")).stdout


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_body_is_never_a_text_of_which_zoom_lists_bytes(begin: Begin, stage: Stage, kind: str) -> None:
    text = with_text(stage, kind)
    site = begin(stage.world, **DELETING)
    site.sandbox.fail(of(text), with_=faults.truncated(0), times=None)

    first = site.sync()
    names = site.names("m")
    site.clock.advance(days=8)
    second = site.sync()
    site.sandbox.heal()
    site.clock.advance(days=1)
    third = site.sync()

    assert [one.code for one in (first, second, third)] == [1, 1, 0]
    assert f"nothing came of {text.content.size} bytes" in first.reasons()[site.uuid("m")]
    assert (names, len(site.names("m")), site.world.deletions) == (["video.mp4"], 2, [])
    site.clock.advance(days=8)
    assert (site.sync().counts["deleted_files"], sorted(deleted(site))) == (
        2,
        sorted(file.id for file in site.world.meetings[site.uuid("m")].files),
    )


def test_an_empty_text_without_a_listed_size_is_stored_and_kept_in_zoom(begin: Begin, stage: Stage) -> None:
    text = with_text(stage, listed_size=0)
    text.content = Text(b"")
    site = begin(stage.world, **DELETING)
    assert site.sync().code == 0
    site.clock.advance(days=8)

    assert (site.sync().code, text.id in deleted(site), len(deleted(site))) == (0, False, 1)
    assert kept(site) == ["stored, but kept in Zoom: chat_file: 0 bytes came twice, Zoom lists no size"]


def left_by_an_earlier_version(site: Site, text: ZoomFile, data: bytes) -> None:
    """The text as it was once stored: these bytes, fetched once, whatever Zoom listed; in library and state alike."""
    sha256, entry = hashlib.sha256(data).hexdigest(), site.entry("m")
    assert entry.receipt is not None
    (cloud,) = [one for one in entry.receipt.cloud if one.id == text.id]
    files = [
        replace(one, size=len(data), sha256=sha256) if one.name == cloud.stored else one for one in entry.receipt.files
    ]
    (site.item("m") / cloud.stored).write_bytes(data)
    path = site.item("m") / "recording.json"
    document = json.loads(path.read_text())
    for one in document["receipt"]["files"]:
        if one["name"] == cloud.stored:
            one.update(size=len(data), sha256=sha256)
    for one in document["receipt"]["cloud"]:
        del one["arrival"]
        if one["id"] == text.id:
            one.update(fetched_size=len(data), sha256=sha256)
    path.write_text(json.dumps(document))
    known = [
        replace(one, fetched_size=len(data), sha256=sha256) if one.id == text.id else one for one in entry.receipt.cloud
    ]
    receipt = replace(entry.receipt, files=tuple(files), cloud=tuple(known))
    with State.open(site.folder / "state" / "state.json", new_id="f" * 32) as state:
        state.put(replace(entry, receipt=receipt))


@pytest.mark.parametrize("size", [0, 20])
@pytest.mark.parametrize("is_there", [True, False])
def test_what_an_earlier_version_took_for_the_text_is_healed_or_stops_the_deletion(
    begin: Begin, stage: Stage, size: int, is_there: bool
) -> None:
    text = with_text(stage)
    site = begin(stage.world, **DELETING)
    site.sync()
    left_by_an_earlier_version(site, text, text.content.read(0, size))
    site.clock.advance(days=8)
    if not is_there:
        site.sandbox.fail(of(text), with_=faults.truncated(0), times=None)

    passes = [site.sync().code, site.world.deletions[:]]
    site.clock.advance(days=8)
    passes.append(site.sync().code)

    assert passes == ([0, [], 0] if is_there else [1, [], 1])
    assert len(site.world.deletions) == (2 if is_there else 0)
    stored = [site.item("m") / name for name in site.names("m") if name.startswith("chat")]
    assert [path.read_bytes() for path in stored] == [text.content.read(0, text.content.size if is_there else size)]


@pytest.mark.parametrize("listed", [2.0, 0.5])
@pytest.mark.parametrize("kind", ["chat", "transcript"])
def test_a_text_of_another_size_is_stored_said_once_and_kept_in_zoom(
    begin: Begin, stage: Stage, kind: str, listed: float
) -> None:
    text = with_text(stage, kind)
    text.listed_size = int(text.content.size * listed)
    site = begin(stage.world, **DELETING)
    fact = f"{text.view}: {text.content.size} bytes came twice, Zoom lists {text.listed_size}"

    first = site.sync()
    fetched = site.downloads().count(text.id)
    second = site.sync()
    assert (first.code, fetched, second.code, site.downloads()) == (0, 2, 0, [])
    assert (first.stderr.count(f"{fact}: stored as it comes, its cloud copy stays"), fact in second.stderr) == (
        1,
        False,
    )
    assert kept(site) == [fact]

    site.clock.advance(days=8)
    planned = site.sync("--dry-run").reasons("delete")[site.uuid("m")]
    done = site.sync()
    reason = f"stored, but kept in Zoom: {fact}"
    assert planned.endswith(f"; {reason}")
    assert (done.code, deleted(site), site.entry("m").phase) == (
        0,
        [file.id for file in site.world.meetings[site.uuid("m")].files if file is not text],
        Phase.PUBLISHED,
    )
    assert (kept(site), reason in story(site)) == ([reason], True)
    assert site.sync("--dry-run").reasons("wait") == {site.uuid("m"): reason}


def test_what_is_kept_costs_no_question_until_a_sweep_finds_it_gone(begin: Begin, stage: Stage) -> None:
    text = with_text(stage, listed_size=7)
    site = begin(stage.world, **DELETING, recordings={"lookback": "1d", "sweep": "9d"})
    site.sync()
    site.clock.advance(days=8)
    site.sync()

    quiet = site.sync()
    text.deleted = True
    site.clock.advance(days=2)
    sweep = site.sync()

    assert [call for call in site.calls() if "/meetings/" in call] != []
    assert (quiet.code, sweep.code, site.entry("m").phase, len(deleted(site))) == (0, 0, Phase.DELETED, 1)
    assert kept(site) == []


@pytest.mark.parametrize("listed_size", [None, 0])
def test_a_text_that_is_cut_twice_at_the_same_place_is_kept_in_zoom(
    begin: Begin, stage: Stage, listed_size: int | None
) -> None:
    text = with_text(stage, listed_size=listed_size)
    site = begin(stage.world, **DELETING)
    site.sandbox.fail(of(text), with_=faults.without_end(30), times=None)
    assert site.sync().code == 0
    site.sandbox.heal()
    site.clock.advance(days=8)

    assert (site.sync().code, len(deleted(site)), text.id in deleted(site)) == (0, 1, False)
    (reason,) = kept(site)
    listed = f"{text.size}" if listed_size is None else "no size"
    assert reason == f"stored, but kept in Zoom: chat_file: 30 bytes came twice, Zoom lists {listed}"


ELSEWISE: dict[str, Callable[[ZoomFile], dict[str, object]]] = {
    "no size": lambda _: {"listed_size": 0},
    "another size": lambda file: {"listed_size": file.content.size + 5},
    "another id": lambda file: {"id": f"9{file.id[1:]}"},
    "a second later": lambda file: {"start": file.start + SECOND},
    "another id a second earlier": lambda file: {"id": f"9{file.id[1:]}", "start": file.start - SECOND},
}
"""How Zoom lists a file otherwise than before, whose bytes are the same: https://github.com/JosephMcEvoy/PSZoom/issues/7"""


@pytest.mark.parametrize("change", ELSEWISE)
@pytest.mark.parametrize("segments", [1, 2])
def test_the_same_bytes_listed_otherwise_change_nothing_but_the_receipt(
    begin: Begin, stage: Stage, change: str, segments: int
) -> None:
    stage.meeting("m", "alice", 2, "M")
    for number in range(segments):
        stage.video("m", number + 1, at=60 * number, seconds=1)
        stage.transcript("m", number + 1, at=60 * number, seconds=1)
    site = begin(stage.world, **DELETING)
    site.sync()
    before = {name: sha for name, sha in site.library().items() if not name.endswith("recording.json")}
    for file in site.world.meetings[site.uuid("m")].files[:2]:
        for name, value in ELSEWISE[change](file).items():
            setattr(file, name, value)

    codes = [site.sync().code, site.sync().code]

    after = {name: sha for name, sha in site.library().items() if not name.endswith("recording.json")}
    assert (codes, after, site.downloads()) == ([0, 0], before, [])
    receipt, ids = site.recording("m")["receipt"], {file.id for file in site.world.meetings[site.uuid("m")].files}
    assert {one["id"] for one in receipt["cloud"]} == ids
    assert {one for file in receipt["files"] for one in file["made_of"]} == ids
    site.clock.advance(days=8)
    assert site.sync().code == 0
    is_proof = "size" not in change
    assert len(deleted(site)) == 2 * segments - (0 if is_proof else 2)
    assert bool(kept(site)) is not is_proof


def test_a_size_that_comes_back_is_proof_again(begin: Begin, stage: Stage) -> None:
    text = with_text(stage, listed_size=0)
    text.listed_size = None
    site = begin(stage.world, **DELETING)
    site.sync()
    text.listed_size = 0
    site.clock.advance(days=8)
    site.sync()
    before = deleted(site)
    text.listed_size = None

    site.sync()

    assert (len(before), text.id in before, text.id in deleted(site)) == (1, False, True)


def test_an_id_that_comes_beside_the_old_one_is_no_second_video(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "M")
    video = stage.video("m", seconds=1)
    site = begin(stage.world, **DELETING)
    site.sync()
    stage.file("m", video.content, video.type, video.view, video.extension, seconds=1)

    site.sync()
    names = site.names("m")
    site.clock.advance(days=8)
    site.sync()

    assert (names, len(deleted(site))) == (["video.mp4"], 2)


@pytest.mark.parametrize("kind", ["view", "segment", "chat"])
def test_of_two_files_with_one_id_both_are_stored_and_none_is_deleted(begin: Begin, stage: Stage, kind: str) -> None:
    first = with_text(stage).id
    make: dict[str, Callable[[], ZoomFile]] = {
        "view": lambda: stage.video("m", 2, "gallery_view", seconds=1, file={"raw": {"id": first}}),
        "segment": lambda: stage.video("m", 2, at=60, seconds=1, file={"raw": {"id": first}}),
        "chat": lambda: stage.file("m", texts.chat(2), *KINDS["chat"][1:], at=60, seconds=1, raw={"id": first}),
    }
    second = make[kind]()
    site = begin(stage.world, **DELETING)

    code = site.sync().code
    site.clock.advance(days=8)
    codes = [code, site.sync().code, site.sync().code]

    held = {one["sha256"] for one in site.recording("m")["receipt"]["cloud"]}
    assert (codes, len(held), served(second) in held) == ([0, 0, 0], 3, True)
    assert not {first, second.id} & set(deleted(site))


@pytest.mark.parametrize("how", ["length", "chunks"])
@pytest.mark.parametrize("lacking", [1, 6_000])
def test_a_video_without_a_listed_size_that_is_cut_twice_is_kept_in_zoom(
    begin: Begin, stage: Stage, lacking: int, how: str
) -> None:
    stage.meeting("m", "alice", 2, "M")
    video = stage.video("m", seconds=1, file={"raw": {"file_size": 0}})
    site = begin(stage.world, **DELETING)
    site.sandbox.settings.downloads_have_length = how == "length"
    site.sandbox.fail(of(video), with_=faults.truncated(-lacking), times=None)

    code = site.sync().code
    site.clock.advance(days=8)

    size = video.content.size - lacking
    assert (code, site.sync().code, deleted(site), site.downloads()) == (0, 0, [], [])
    fact = f"{video.view}: {size:,} bytes came twice, Zoom lists no size"
    assert kept(site) == [f"stored, but kept in Zoom: {fact}"]


def test_a_video_of_another_size_is_stored_if_a_person_accepts_it(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "M")
    video = stage.video("m", seconds=1)
    video.listed_size = video.content.size + 7
    site = begin(stage.world, **DELETING)
    command = f"sync --meeting {site.uuid('m')} --accept-size"

    refused = site.sync()
    accepted = site.sync(*command.split()[1:])
    later = site.sync()

    (row,) = refused.document["rows"]
    assert (refused.code, f"`zoomsync {command}`" in row["hint"]) == (1, True)
    fact = f"{video.content.size:,} bytes came twice, Zoom lists {video.listed_size:,}"
    assert (accepted.code, site.names("m"), fact in accepted.stderr) == (0, ["video.mp4"], True)
    assert (later.code, site.downloads(), fact in kept(site)[0], fact in story(site)) == (0, [], True, True)
    stage.video("m", 2, at=60, seconds=1)
    assert (site.sync().code, site.names("m")) == (0, ["video.v2.mp4"])
    site.clock.advance(days=20)
    site.sync()
    assert (len(deleted(site)), video.id in deleted(site)) == (1, False)


def test_a_video_that_comes_differently_each_time_is_not_accepted(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "M")
    video = stage.video("m", seconds=1)
    video.listed_size = video.content.size + 7
    site = begin(stage.world)
    turns = (Text(video.content.read(0, video.content.size - 2) + bytes([0, turn])) for turn in range(99))
    changing = faults.Fault(change=lambda _, answer: replace(answer, content=next(turns)))
    site.sandbox.fail(of(video), with_=changing, times=None)

    result = site.sync("--meeting", site.uuid("m"), "--accept-size")

    assert (result.code, site.files()) == (1, [])
    assert "it came differently twice" in result.reasons()[site.uuid("m")]


def test_a_size_is_accepted_of_named_meetings_alone(begin: Begin, stage: Stage) -> None:
    result = begin(stage.world).run("sync", "--accept-size")

    assert (result.code, "--accept-size: no meeting is named" in result.stderr) == (2, True)


def test_a_late_segment_is_joined_with_a_video_that_has_another_id_by_now(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "M")
    first = stage.video("m", seconds=1)
    site = begin(stage.world, **DELETING)
    site.sync()
    first.id = f"9{first.id[1:]}"
    second = stage.video("m", 2, at=60, seconds=1)

    result = site.sync()

    (video,) = site.recording("m")["receipt"]["files"]
    assert (result.code, site.names("m"), video["made_of"]) == (0, ["video.v2.mp4"], [first.id, second.id])
    assert sorted(site.downloads()) == sorted([first.id, second.id])
    assert site.sync().counts["up_to_date"] == 1
    site.clock.advance(days=8)
    site.sync()
    assert sorted(deleted(site)) == sorted([first.id, second.id])


def test_where_nothing_is_deleted_status_tells_of_another_size_all_the_same(begin: Begin, stage: Stage) -> None:
    with_text(stage, listed_size=7)
    site = begin(stage.world)
    site.sync()

    page = site.run("status").stdout

    assert "Kept in Zoom although it is stored: 1 meeting" in page
    assert "came twice, Zoom lists 7" in page


def test_a_file_whose_size_flips_for_ever_is_stored_once(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "M")
    video = stage.video("m", seconds=1)
    site = begin(stage.world, **DELETING)
    site.sync()
    before = site.library()

    codes = []
    for listed in (video.content.size + 1, 0, None, video.content.size - 1, None, 0):
        video.listed_size = listed
        codes.append(site.sync().code)

    assert (codes, site.names("m")) == ([0] * 6, ["video.mp4"])
    assert {n: s for n, s in site.library().items() if n.endswith("mp4")} == {
        n: s for n, s in before.items() if n.endswith("mp4")
    }
