"""What a config means: its fingerprint, and its sentences."""

from pathlib import Path
from typing import Any

import pytest

from tests.config.builders import a_config, a_file
from zoomsync.config import load
from zoomsync.config.describe import describe


@pytest.mark.parametrize(
    "keys",
    [
        {"enabled": False},
        {"filter_accounts": ["ada@example.org"]},
        {"exclude_accounts": ["ada@example.org"]},
        {"destination": {"path": "elsewhere"}},
        {"recordings": {"since": "2026-01-01"}},
        {"recordings": {"min_duration": "5m"}},
        {"recordings": {"views": "best"}},
        {"recordings": {"files": ["video"]}},
    ],
)
def test_the_fingerprint_changes_with_what_is_selected_and_where_it_goes(keys: dict[str, Any]) -> None:
    assert a_config(**keys).fingerprint() != a_config().fingerprint()


@pytest.mark.parametrize(
    "keys",
    [
        {"enabled": True},
        {"filter_accounts": []},
        {"destination": {"type": "library", "path": "library", "dir_mode": "0750"}},
        {"recordings": {"files": ["other", "summary", "timeline", "chat", "captions", "audio", "video"]}},
        {"recordings": {"min_duration": 0, "lookback": "3d"}},
        {
            "workers": 1,
            "connections": 2,
            "bandwidth": "1MB",
            "title": "{topic}",
            "delete_after": "1d",
            "zoom": {"rate": 1},
        },
    ],
)
def test_the_fingerprint_does_not_count_defaults_and_other_keys(keys: dict[str, Any]) -> None:
    assert a_config(**keys).fingerprint() == a_config().fingerprint()


def test_the_fingerprint_is_over_values_not_over_their_order() -> None:
    one = a_config(filter_accounts=["ada@example.org", "grace@example.org"])
    other = a_config(filter_accounts=["Grace@example.org", "ada@example.org"])

    assert one.fingerprint() == other.fingerprint()
    assert a_config(recordings={"views": ["a", "b"]}).fingerprint() != (
        a_config(recordings={"views": ["b", "a"]}).fingerprint()
    )


def test_the_fingerprint_stays_the_same_over_versions() -> None:
    config = a_config(
        filter_accounts=["ada@example.org"],
        recordings={"since": "2026-01-01", "min_duration": "5m", "files": ["video", "chat"]},
    )

    assert (a_config().fingerprint(), config.fingerprint()) == ("275d8e7c69fad33d", "cdebcbbef2981685")


def test_the_fingerprint_follows_the_content_of_the_filter_file(tmp_path: Path) -> None:
    path = a_file(tmp_path, "zoom: {account_id: a, client_id: b, client_secret: c}\nfilter_accounts_file: users.txt\n")
    prints = []
    for content in ("ada@example.org", "# just a comment\nada@example.org", "grace@example.org"):
        a_file(tmp_path, content, "users.txt")
        prints.append(load(path, {}).fingerprint())

    assert prints[0] == prints[1] != prints[2]


def test_the_defaults_in_words() -> None:
    assert describe(a_config()) == [
        "config /srv/zoomsync/config.yaml",
        "state /srv/zoomsync/state/state.json, audit /srv/zoomsync/state/audit.jsonl",
        "publishes to the library /srv/zoomsync/library (folders 0750, files 0640)",
        "ALL users: filter_accounts is blank",
        "recordings since 30 days before the first pass: each pass lists 14 days back, everything again every 7 days",
        "fetches video, audio, captions, chat, timeline, summary, other; views: all; 30 min after the end",
        "stitches the segments of a meeting into one video, re-encoded if they do not agree",
        "publishes as the host, at once visible",
        "deletes nothing",
        "4 workers, 8 connections, 2.0 GB of disk kept free",
    ]


def test_what_would_surprise_is_in_words() -> None:
    config = a_config(
        enabled=False,
        filter_accounts=[f"u{number}@x.org" for number in range(7)],
        exclude_accounts=["a@b.c"],
        recordings={
            "since": "2026-01-01",
            "sweep": "never",
            "min_duration": "5m",
            "views": ["gallery_view"],
            "files": ["chat", "video"],
            "settle": "1d",
        },
        publish_as="me",
        me="media@example.org",
        publish_state="draft",
        reencode=False,
        delete_recordings="permanent",
        hold_meetings=["abc=="],
        destination={"group": "media"},
        connections=1,
        bandwidth="50MB",
    )

    assert describe(config) == [
        "DISABLED: sync does nothing (enabled: false)",
        "config /srv/zoomsync/config.yaml",
        "state /srv/zoomsync/state/state.json, audit /srv/zoomsync/state/audit.jsonl",
        "publishes to the library /srv/zoomsync/library (folders 0750, files 0640, group media)",
        "7 users: u0@x.org, u1@x.org, u2@x.org, u3@x.org, u4@x.org and 2 more, but not a@b.c",
        "recordings since 2026-01-01 00:00 UTC: each pass lists 14 days back, never everything again",
        "fetches video, chat; views: gallery_view; 1 d after the end, none shorter than 5 min",
        "stitches by copying only: segments that do not agree stay separate videos",
        "publishes as media@example.org, as drafts",
        (
            "deletes PERMANENTLY from Zoom 7 days after publishing, at most 200 meetings a pass, "
            "but for 1 meeting in hold_meetings"
        ),
        "4 workers, 1 connection, 50.0 MB a second at most, 2.0 GB of disk kept free",
    ]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {
                "engine": {
                    "type": "dask",
                    "scheduler": "tls://host:8786",
                    "tls": {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"},
                }
            },
            "fetches and stitches on the workers of tls://host:8786, by TLS",
        ),
        (
            {"engine": {"type": "dask", "scheduler": "tcp://localhost:8786"}},
            "fetches and stitches on the workers of tcp://localhost:8786, WITHOUT encryption, on this machine alone",
        ),
        (
            {"delete_recordings": "trash"},
            "deletes to Zoom's trash 7 days after publishing, at most 200 meetings a pass",
        ),
        (
            {"delete_recordings": "trash", "delete_after": 0, "delete_limit": 1},
            "deletes to Zoom's trash in the pass after publishing, at most 1 meeting a pass",
        ),
        ({"concatenate_recordings": False}, "stitches nothing: each segment stays its own video"),
        (
            {"destination": {"path": "/srv/library", "dir_mode": "keep", "file_mode": "keep"}},
            "publishes to the library /srv/library (folders as the mount has them, files as the mount has them)",
        ),
        ({"me": "media@example.org"}, "publishes as the host, else media@example.org, at once visible"),
    ],
)
def test_a_setting_in_words(keys: dict[str, Any], sentence: str) -> None:
    assert sentence in describe(a_config(delete_all_accounts=True, **keys))
