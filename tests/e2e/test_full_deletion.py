"""The full world with deletion on: what is stored goes, what comes late is stored first, all is accounted for."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Begin, Twice
from tests.e2e.harness import NOW, Site, sha256
from tests.sandbox.worlds import full_world

NEVER_OURS = {"on-premise": ["shared_screen_with_speaker_view"], "old-timeline": [""], "wrong-size": ["chat_file"]}
"""What stays for ever: a video without an address, a file without an id, one that has not the size that Zoom lists."""
LATE = {
    "fresh": ["shared_screen_with_speaker_view"],
    "processing": ["shared_screen_with_speaker_view"],
    "late-meeting": ["shared_screen_with_speaker_view"],
    "late-transcript": ["shared_screen_with_speaker_view", "audio_transcript"],
    "late-view": ["shared_screen_with_speaker_view", "gallery_view"],
    "late-segment": ["shared_screen_with_speaker_view", "shared_screen_with_speaker_view"],
}


def in_cloud(site: Site) -> dict[str, list[str]]:
    """The views of the files that are in the cloud, by meeting."""
    meetings = {name: site.world.meetings[uuid].present for name, uuid in site.world.names.items()}
    return {name: [file.view for file in files] for name, files in meetings.items() if files}


@pytest.mark.timeout(120)
def test_everything_that_is_stored_goes_and_nothing_else(begin: Begin, twice: Twice, tmp_path: Path) -> None:
    left_out = shutil.ignore_patterns("*-wal", "*-shm")  # of who looks at the state meanwhile
    shutil.copytree(twice.site.folder, tmp_path, ignore=left_out, dirs_exist_ok=True)
    site = begin(full_world(NOW), delete_recordings="trash", delete_all_accounts=True)
    assert (site.sync().code, site.world.deletions) == (0, [])
    site.clock.advance(days=7)
    site.world.release()

    first = site.sync()
    assert (first.code, first.counts) == (
        0,
        {
            "deleted": 141,
            "deleted_files": 186,
            "published": 3,
            "updated": 3,
            "up_to_date": 2,
            "skipped": 2,
            "calls": 344,
            "downloads": 14,
        },
    )
    assert in_cloud(site) == NEVER_OURS | LATE
    assert (site.sync().code, in_cloud(site)) == (0, NEVER_OURS | LATE)

    site.clock.advance(days=7)
    second = site.sync()
    assert (second.code, second.counts["deleted"], in_cloud(site)) == (0, 6, NEVER_OURS)
    assert (site.sync().counts, site.sandbox.count("DELETE")) == ({"calls": 4}, 0)
    check_the_account(site)


def check_the_account(site: Site) -> None:
    """Each deletion has its line before and after, and the proof in it is true of the library as it is now."""
    lines = site.audit()
    before = {line["intent"]: line for line in lines if line["event"] == "deleting"}
    after = {line["intent"]: line["answer"] for line in lines if line["event"] == "answer"}
    assert sorted((line["uuid"], line["file"], line["action"]) for line in before.values()) == sorted(
        site.world.deletions
    )
    assert after == dict.fromkeys(before, "204")
    assert [line["event"] for line in lines] == ["deleting", "answer"] * len(before)
    stored = {(one["proof"]["place"], one["proof"]["stored"]): one["proof"]["stored_sha256"] for one in before.values()}
    assert stored == {(place, name): sha256(site.root / place / name) for place, name in stored}
