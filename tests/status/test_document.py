"""The document of `status --json`: its keys are promised, and it shows the whole ledger."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import NOW, a_meeting, a_receipt, an_entry
from tests.status.builders import (
    NO_STATE,
    a_retry,
    a_run,
    a_state,
    alive,
    gone,
    parked,
    some_config,
    stored,
)
from zoomsync.model import COUNTS, DAY, HOUR, AuthorizationStatus, Entry, Gap, Intent, Phase, Process, Retry
from zoomsync.state import State
from zoomsync.status import document


def the_document(state: State, is_alive: Callable[[Process], bool] = gone, **config: Any) -> dict[str, Any]:
    return document(state, some_config(**config), NOW, is_alive)


NOTHING: dict[str, Any] = {
    "as_of": "2026-03-10T12:00:00Z",
    "sync_process": "Never run",
    "last_synced_attempt": None,
    "last_finished": None,
    "last_recording_fetched_till": None,
    "authorization": {"zoom": "not checked yet", "destination": "not checked yet", "checked_at": None},
    "gaps": [],
    "next_sweep": "2026-03-10T12:00:00Z",
    "counts": {
        "waiting": 0,
        "skipped": 0,
        "published": 0,
        "deleted": 0,
        "lost": 0,
        "removed": 0,
        "erased": 0,
    },
    "at_risk": [],
    "differs": [],
    "kept": [],
    "waiting": [],
    "failed": [],
    "refused": [],
    "lost": [],
    "removed": [],
    "skipped": {"counts": {}, "rows": []},
    "stored": {"items": 0, "bytes": 0, "bytes_recently": 0, "free_bytes": None, "days_left": None},
    "unmatched": [],
    "adopting": False,
    "unadopted": 0,
    "other_authors": [],
    "open_intents": [],
    "runs": [],
}


def a_row(**changes: Any) -> dict[str, Any]:
    return {
        "uuid": "/abc//DEF+ghi==",
        "number": "85012345678",
        "topic": "Weekly planning",
        "host": "ada@example.org",
        "start": "2026-03-01T10:30:00Z",
        "phase": "waiting",
        "reason": "not settled yet",
        **changes,
    }


def test_before_the_first_pass_every_key_is_there() -> None:
    assert the_document(NO_STATE) == NOTHING


STRETCH = {"since": "2026-03-08T12:00:00Z", "until": "2026-03-09T12:00:00Z"}


def test_a_state_is_shown_with_its_last_run() -> None:
    state = a_state(
        runs=(a_run(7, counts={"published": 2}),),
        intents=(Intent(id="1" * 32, at=NOW - HOUR, action="delete", uuid="u==", target="file-video"),),
        gaps=(Gap(since=NOW - 2 * DAY, until=NOW - DAY), Gap(since=NOW - 2 * DAY, until=NOW - DAY, user="host-bob")),
        fetched_till=NOW - DAY,
    )

    found = the_document(state)

    assert found == NOTHING | {
        "sync_process": "Finished",
        "last_synced_attempt": "2026-03-10T10:00:00Z",
        "last_finished": "2026-03-10T11:00:00Z",
        "last_recording_fetched_till": "2026-03-09T12:00:00Z",
        "authorization": {"zoom": "authorized", "destination": "authorized", "checked_at": "2026-03-10T11:00:00Z"},
        "gaps": [
            {**STRETCH, "user": None, "email": "", "reason": "", "next_at": None},
            {**STRETCH, "user": "host-bob", "email": "", "reason": "", "next_at": None},
        ],
        "next_sweep": "2026-03-15T12:00:00Z",
        "open_intents": [
            {"id": "1" * 32, "at": "2026-03-10T11:00:00Z", "action": "delete", "uuid": "u==", "target": "file-video"}
        ],
        "runs": [
            {
                "id": "00000007",
                "number": 7,
                "started_at": "2026-03-10T10:00:00Z",
                "ended_at": "2026-03-10T11:00:00Z",
                "outcome": "Finished",
                "code": 0,
                "why": "",
                "narrowed": "",
                "process": {"pid": 4711, "host": "recorder"},
                "counts": dict.fromkeys(COUNTS, 0) | {"published": 2},
            }
        ],
    }


def test_who_is_published_under_another_author_is_shown() -> None:
    ours = {"ada": a_receipt(author="Ada@Example.org"), "me": a_receipt(author="me@example.org")}
    moved = a_receipt(author="me@example.org", destination="library-2")
    state = a_state(
        stored(a_meeting(uuid="1==")),
        stored(a_meeting(uuid="2=="), receipt=ours["ada"]),
        stored(a_meeting(uuid="3=="), receipt=ours["me"]),
        stored(a_meeting(uuid="4=="), receipt=ours["me"], phase=Phase.DELETED),
        stored(a_meeting(uuid="5==", host_email="Bob@example.org"), receipt=ours["me"]),
        stored(a_meeting(uuid="6=="), receipt=ours["me"], phase=Phase.REMOVED),
        stored(a_meeting(uuid="7=="), receipt=moved),
        an_entry(a_meeting(uuid="8==")),
    )

    ada = {"host": "ada@example.org", "author": "me@example.org", "meetings": 2}
    bob = {"host": "Bob@example.org", "author": "me@example.org", "meetings": 1}
    for config, expected in (
        ({}, [ada, bob]),
        ({"aliases": {"bob@example.org": "Me@example.org"}}, [ada]),
        ({"publish_as": "me", "me": "av@example.org"}, []),
    ):
        assert the_document(state, **config)["other_authors"] == expected


@pytest.mark.parametrize(
    ("run", "is_alive", "process"),
    [
        ({"code": 0}, gone, "Finished"),
        ({"code": 1}, gone, "Finished with failures"),
        ({"code": None}, alive, "Running"),
        ({"code": None}, gone, "Interrupted"),
        ({"code": 143, "why": "stopped by signal 15"}, gone, "Interrupted"),
        ({"code": 130}, gone, "Interrupted"),
        ({"code": 3, "why": "zoom: wrong client secret"}, gone, "Failed: zoom: wrong client secret"),
        ({"code": 70, "why": "a bug in zoomsync"}, gone, "Failed: a bug in zoomsync"),
        ({"code": 5}, gone, "Failed: exit code 5"),
        ({"code": 4}, gone, "Never run"),
    ],
)
def test_the_sync_process_is_named_by_how_the_last_run_went(run: dict[str, Any], is_alive: Any, process: str) -> None:
    found = the_document(a_state(runs=(a_run(**run),)), is_alive=is_alive)

    assert found["sync_process"] == process


@pytest.mark.parametrize(
    ("failure", "next_at", "is_parked"),
    [
        (a_retry(), "2026-03-10T13:00:00Z", False),
        (a_retry(next_at=NOW - HOUR), "2026-03-10T12:00:00Z", False),
        (parked(), None, True),
        (parked(at=NOW + DAY), "2026-03-10T12:00:00Z", False),
        (a_retry(at=NOW + DAY, next_at=NOW + 2 * DAY), "2026-03-10T12:00:00Z", False),
    ],
)
def test_what_failed_says_when_a_pass_tries_it_again(failure: Retry, next_at: str | None, is_parked: bool) -> None:
    found = the_document(a_state(an_entry(retry=failure)))["failed"][0]

    assert (found["next_at"], found["parked"]) == (next_at, is_parked)


def test_switched_off_the_sync_process_is_disabled_whatever_ran_before() -> None:
    assert the_document(a_state(runs=(a_run(),)), enabled=False)["sync_process"] == "Disabled"


def test_what_happened_in_the_future_counts_as_unset() -> None:
    later = NOW + DAY
    state = a_state(
        an_entry(retry=a_retry(at=later)),
        runs=(a_run(before=-DAY),),
        fetched_till=later,
        swept_at=later,
        authorization=AuthorizationStatus(zoom="authorized", destination="authorized", checked_at=later),
    )

    found = the_document(state)

    assert found["last_synced_attempt"] is None
    assert found["last_finished"] is None
    assert found["last_recording_fetched_till"] is None
    assert found["authorization"]["checked_at"] is None
    assert found["next_sweep"] == found["as_of"]
    assert found["failed"][0]["failed_at"] is None
    assert (found["runs"][0]["started_at"], found["runs"][0]["ended_at"]) == (None, None)


@pytest.mark.parametrize(
    ("head", "config", "next_sweep"),
    [
        ({"swept_at": NOW - DAY}, {}, "2026-03-16T12:00:00Z"),
        ({"swept_at": NOW - 8 * DAY}, {}, "2026-03-10T12:00:00Z"),
        ({"swept_at": None}, {}, "2026-03-10T12:00:00Z"),
        ({"fingerprint": "changed"}, {}, "2026-03-10T12:00:00Z"),
        ({}, {"recordings": {"sweep": "never"}}, None),
        ({"fingerprint": "changed"}, {"recordings": {"sweep": "never"}}, "2026-03-10T12:00:00Z"),
    ],
)
def test_the_next_sweep_is_when_a_pass_will_make_one(
    head: dict[str, Any], config: dict[str, Any], next_sweep: str | None
) -> None:
    found = the_document(a_state(**head), **config)

    assert found["next_sweep"] == next_sweep


TRIED = {
    "tries": 2,
    "error": "video: download cut at 12 bytes",
    "hint": "look at the network",
    "failed_at": "2026-03-10T11:00:00Z",
    "next_at": "2026-03-10T13:00:00Z",
    "parked": False,
}
PARKED = TRIED | {"tries": 10, "next_at": None, "parked": True}
STORED = {"phase": "published", "reason": "stored"}


@pytest.mark.parametrize(
    ("entry", "lists"),
    [
        (an_entry(due_at=NOW + HOUR), {"waiting": [a_row(due_at="2026-03-10T13:00:00Z")]}),
        (stored(), {}),
        (
            stored(pending=("audio_transcript: still processing", "chat_file: refused")),
            {
                "waiting": [
                    a_row(
                        phase="published",
                        reason="stored, still to come: audio_transcript: still processing, chat_file: refused",
                        due_at=None,
                    )
                ]
            },
        ),
        (an_entry(retry=a_retry()), {"failed": [a_row(**TRIED)]}),
        (an_entry(retry=parked()), {"failed": [a_row(**PARKED)]}),
        (stored(retry=a_retry()), {"failed": [a_row(**STORED, **TRIED)]}),
        (stored(refusal=a_retry()), {"refused": [a_row(**STORED, **TRIED)]}),
        (an_entry(phase=Phase.LOST, reason="gone"), {"lost": [a_row(phase="lost", reason="gone")]}),
        (an_entry(phase=Phase.LOST, reason="gone", retry=parked()), {"lost": [a_row(phase="lost", reason="gone")]}),
        (stored(phase=Phase.REMOVED), {"removed": [a_row(phase="removed", reason="stored")]}),
        (stored(phase=Phase.DELETED, refusal=a_retry()), {}),
        (an_entry(phase=Phase.ERASED), {}),
        (
            an_entry(auto_delete=NOW + DAY),
            {
                "waiting": [a_row(due_at=None)],
                "at_risk": [a_row(auto_delete="2026-03-11T12:00:00Z")],
            },
        ),
        (
            an_entry(phase=Phase.SKIPPED, reason="12 s long, shorter than recordings.min_duration (1 min)"),
            {
                "skipped": {
                    "counts": {"shorter than recordings.min_duration (1 min)": 1},
                    "rows": [a_row(phase="skipped", reason="12 s long, shorter than recordings.min_duration (1 min)")],
                }
            },
        ),
    ],
)
def test_an_entry_is_in_the_lists_where_it_belongs_and_in_no_other(entry: Entry, lists: dict[str, Any]) -> None:
    found = the_document(a_state(entry))

    names = ("at_risk", "waiting", "failed", "refused", "lost", "removed", "skipped")
    assert {name: found[name] for name in names} == {name: NOTHING[name] for name in names} | lists


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"exclude_meetings": ["/abc//DEF+ghi=="]}, "listed in exclude_meetings"),
        ({"filter_accounts": ["bob@example.org"]}, "its host is not selected by the config"),
        ({"exclude_accounts": ["ada@example.org"]}, "its host is not selected by the config"),
    ],
)
def test_what_the_config_leaves_out_since_neither_waits_nor_fails_nor_is_at_risk(
    config: dict[str, Any], reason: str
) -> None:
    state = a_state(an_entry(retry=parked(), auto_delete=NOW + DAY))

    found = the_document(state, **config)

    assert (found["waiting"], found["failed"], found["at_risk"]) == ([], [], [])
    assert found["skipped"] == {"counts": {reason: 1}, "rows": [a_row(phase="skipped", reason=reason)]}
    assert found["counts"]["skipped"] == 1


def test_a_host_whose_address_is_not_known_is_not_taken_for_left_out() -> None:
    state = a_state(an_entry(host_email=""))

    found = the_document(state, filter_accounts=["bob@example.org"])

    assert found["waiting"] == [a_row(host="host-ada", due_at=None)]


@pytest.mark.parametrize(
    "config",
    [{"delete_recordings": "never"}, {"hold_meetings": ["/abc//DEF+ghi=="]}, {"filter_accounts": ["bob@example.org"]}],
)
def test_a_refused_deletion_that_is_not_wanted_any_more_is_not_shown(config: dict[str, Any]) -> None:
    assert the_document(a_state(stored(refusal=a_retry())), **config)["refused"] == []


def test_meetings_come_newest_first_and_those_at_risk_by_what_zoom_deletes_first() -> None:
    entries = [
        an_entry(a_meeting(uuid=uuid, start=NOW - timedelta(days=age)), auto_delete=NOW + left * DAY)
        for uuid, age, left in (("old==", 9, 3), ("new==", 1, 6), ("mid==", 5, 1))
    ]

    found = the_document(a_state(*entries))

    assert [one["uuid"] for one in found["waiting"]] == ["new==", "mid==", "old=="]
    assert [one["uuid"] for one in found["at_risk"]] == ["mid==", "old==", "new=="]


def test_the_gap_of_a_known_user_names_the_address() -> None:
    state = a_state(stored(), gaps=(Gap(since=NOW - DAY, until=NOW, user="host-ada"),))

    assert [gap["user"] for gap in the_document(state)["gaps"]] == ["ada@example.org"]


def test_the_gap_of_a_user_has_the_address_the_reason_and_when_it_is_tried_again() -> None:
    retry = a_retry(tries=0, error="zoom: HTTP 500", next_at=NOW + 2 * HOUR)
    gap = Gap(since=NOW - 2 * DAY, until=NOW - DAY, user="host-bob", email="bob@example.org", retry=retry)

    assert the_document(a_state(gaps=(gap,)))["gaps"] == [
        {
            **STRETCH,
            "user": "bob@example.org",
            "email": "bob@example.org",
            "reason": "zoom: HTTP 500",
            "next_at": "2026-03-10T14:00:00Z",
        }
    ]


def test_the_last_ten_runs_come_newest_first() -> None:
    found = the_document(a_state(runs=tuple(a_run(number) for number in range(1, 13))))

    assert [run["number"] for run in found["runs"]] == [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]


def test_only_a_whole_pass_that_ran_to_its_end_is_the_last_finished() -> None:
    runs = (
        a_run(1, before=9 * HOUR, code=1),
        a_run(2, before=7 * HOUR, code=6),
        a_run(3, before=5 * HOUR, code=0, narrowed="1 meeting"),
        a_run(4, before=3 * HOUR, code=None),
    )

    assert the_document(a_state(runs=runs))["last_finished"] == "2026-03-10T04:00:00Z"


def test_the_document_can_be_written_as_json() -> None:
    state = a_state(stored(refusal=a_retry()), an_entry(a_meeting(uuid="w==")), runs=(a_run(),))

    found = the_document(state)

    assert json.loads(json.dumps(found)) == found


def test_a_state_on_disk_is_such_a_state(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with State.open(path, new_id="0" * 32) as state:
        state.record(a_run())
        state.put(an_entry(due_at=NOW + HOUR))

    found = State.read(path)

    assert found is not None
    shown = the_document(found)
    assert (shown["sync_process"], shown["waiting"]) == ("Finished", [a_row(due_at="2026-03-10T13:00:00Z")])
