"""What `--json` prints is what the shipped schema describes. The harness holds every other test's documents to it."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests import documents
from tests.e2e.conftest import Begin
from tests.sandbox import faults
from tests.sandbox.stage import Stage


def test_the_shipped_schema_is_the_one_that_is_described_and_is_one() -> None:
    """Else: make schema."""
    assert documents.SHIPPED.read_text(encoding="utf-8") == documents.schema_text()
    Draft202012Validator.check_schema(json.loads(documents.schema_text()))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("auth-check", ["auth-check"]),
        ("users", ["users"]),
        ("plan", ["sync", "--dry-run"]),
        ("sync", ["sync", "--retry-failed"]),
        ("status", ["status"]),
        ("health", ["status", "--check"]),
        ("stories", ["status", "--meeting", "Broken"]),
        ("stories", ["status", "--meeting", "Good", "--ask"]),
        ("error", ["status", "--meeting", "nothing"]),
        ("error", ["sync", "--since", "2026-03-02", "--until", "2026-03-01"]),
        ("error", ["bogus"]),
    ],
)
def test_a_document_is_as_described(name: str, arguments: list[str], begin: Begin, stage: Stage) -> None:
    stage.meeting("good", "alice", 2, "Good")
    stage.video("good")
    stage.meeting("broken", "alice", 3, "Broken")
    broken = stage.video("broken")
    site = begin(stage.world, hold_meetings=["123 4567 8901"])
    site.sandbox.fail(broken.id, with_=faults.page(404), times=None)
    site.sync()

    found = site.run(*arguments, "--json").document

    documents.check(name, found)
    Draft202012Validator(json.loads(documents.schema_text())).validate(found)


def test_json_log_lines_are_as_described(begin: Begin, stage: Stage) -> None:
    stage.meeting("good", "alice", 2, "Good")
    stage.video("good")
    site = begin(stage.world)

    lines = [json.loads(line) for line in site.run("--log-format", "json", "sync").stderr.splitlines()]

    for line in lines:
        documents.check("log", line)
    assert [line["event"] for line in lines] == ["due", "published", "pass_ended"]


HEALTHY: dict[str, Any] = {"format": 1, "healthy": True, "reasons": []}


@pytest.mark.parametrize(
    "other",
    [
        {"healthy": True, "reasons": []},
        {**HEALTHY, "format": 2},
        {**HEALTHY, "reasons": None},
        {**HEALTHY, "new": 1},
    ],
)
def test_what_differs_from_the_description_is_noticed(other: dict[str, Any]) -> None:
    documents.check("health", HEALTHY)

    with pytest.raises(ValidationError):
        documents.check("health", other)


@pytest.mark.parametrize("time", ["2026-11-25T22:01:02.123456Z", "2026-11-25T22:01:02+00:00", "2026-11-25 22:01:02Z"])
def test_a_time_is_written_in_one_way(time: str) -> None:
    found = Draft202012Validator(documents.TIME)

    assert (found.is_valid(time), found.is_valid("2026-11-25T22:01:02Z")) == (False, True)


def test_keys_may_be_added_later_as_far_as_readers_know() -> None:
    shipped = Draft202012Validator(json.loads(documents.schema_text()))

    assert shipped.is_valid({**HEALTHY, "new": 1})
