"""What a person reads on stderr while a command runs, and what a script does."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from tests.fakes import a_meeting
from zoomsync.console import Terminal, fields, log_context
from zoomsync.naming import suffix

MEETING = a_meeting(uuid="/abc//DEF+ghi==", topic="Weekly “planning”\n", number="85012345678")
END = suffix(MEETING.uuid)
log = logging.getLogger("zoomsync.test")


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """The log lines of a terminal that is made with the parameters of the test."""
    found: list[str] = []
    terminal = Terminal(as_json=False, run_id="0a1b2c3d", write_log=found.append, **request.param)
    terminal.start_logging()
    yield found
    logging.getLogger("zoomsync").handlers.clear()


TEXT, VERBOSE, JSON = ({"log_format": "text"}, {"log_format": "text", "verbose": True}, {"log_format": "json"})


@pytest.mark.parametrize(
    ("lines", "end"),
    [(TEXT, f"[{END}] published: 1 file"), (VERBOSE, f"[{END}] {MEETING.uuid} published: 1 file")],
    indirect=["lines"],
)
def test_a_line_about_a_meeting_says_whose_it_is_and_which(lines: list[str], end: str) -> None:
    with log_context(MEETING):
        log.info("published: %s", "1 file")

    (line,) = lines
    assert line.partition("Z ")[2] == f"info 0a1b2c3d ada@example.org “Weekly “planning”\\n” 2026-03-01T10:30Z {end}"


@pytest.mark.parametrize("lines", [TEXT], indirect=True)
def test_a_line_about_no_meeting_names_none(lines: list[str]) -> None:
    log.info("3 meetings due")

    assert [line.partition("Z ")[2] for line in lines] == ["info 0a1b2c3d 3 meetings due"]


@pytest.mark.parametrize("lines", [JSON], indirect=True)
def test_a_json_line_has_fields_and_no_prose_to_parse(lines: list[str]) -> None:
    with log_context(MEETING):
        log.info("published: %s", "1 file", extra=fields(event="published", files=1, bytes=86_100))

    found = json.loads(lines[0])
    assert found.pop("at")[-1] == "Z"
    assert found == {
        "level": "info",
        "pass": "0a1b2c3d",
        "event": "published",
        "message": "published: 1 file",
        "files": 1,
        "bytes": 86_100,
        "host": "ada@example.org",
        "topic": "Weekly “planning”\n",
        "start": "2026-03-01T10:30:00Z",
        "number": "85012345678",
        "uuid": "/abc//DEF+ghi==",
    }


@pytest.mark.parametrize("lines", [JSON], indirect=True)
def test_a_json_line_about_nothing_in_particular_is_a_note(lines: list[str]) -> None:
    log.warning("look here")

    assert json.loads(lines[0])["event"] == "note"


class AsTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


ROW = ("publish", "2026-11-21T09:30", "a.very.long-address@department.example.org", "Weekly planning", "new: 2 files")


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_table_never_breaks_an_address(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    out = AsTerminal()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setenv("COLUMNS", str(width))

    Terminal(as_json=False, log_format="text").table(("action", "start", "host", "topic", "reason"), [ROW])

    shown = out.getvalue().splitlines()
    assert max(map(len, shown)) <= width
    words = "  ".join(("action", "start", "host", "topic", "reason", *ROW)).split()
    assert out.getvalue().replace(";", "").split() == words
