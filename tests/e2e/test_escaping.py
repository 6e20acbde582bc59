"""Whatever a text holds, nothing that zoomsync writes or prints moves a cursor, turns a line round or breaks one."""

import json

import pytest

from tests.e2e.conftest import Begin
from tests.sandbox.stage import Stage
from zoomsync.formatting import is_harmless

NASTY = (
    "\x1b[31m C1 \x9b31m\x85 DEL \x7f turned \u202eround\u2066\u061c\u200f lines \u2028\u2029 half\r\n \ufeff\U000e0001"
)


@pytest.fixture
def texts(begin: Begin, stage: Stage) -> dict[str, str]:
    """All that is written and printed about a meeting and a user with such names."""
    stage.meeting("nasty", "alice", 2, f"Weekly {NASTY}")
    stage.video("nasty")
    stage.world.users["id_alice"].first_name = f"Ada {NASTY}"
    options = {"delete_recordings": "trash", "filter_accounts": ["alice@example.org"], "delete_after": "0s"}
    site = begin(stage.world, **options)
    found: dict[str, str] = {}
    for command in (
        "sync --dry-run --json",
        "sync --dry-run",
        "sync",
        "sync --json --log-format json",
        "status",
        "status --json",
        "status --json --meeting Weekly",
        "status --meeting Weekly",
        "users",
        "users --json",
        f"status --json --log-format json --meeting {NASTY.replace(' ', '')}",
        f"status --meeting {NASTY.replace(' ', '')}",
    ):
        result = site.run(*command.split(" "))
        found |= {f"{command}, stdout": result.stdout, f"{command}, stderr": result.stderr}
    files = [site.folder / "state" / "state.json", site.folder / "state" / "audit.jsonl", *site.root.rglob("*.json")]
    return found | {str(path): path.read_bytes().decode() for path in files}


def test_no_text_disturbs_a_terminal_or_a_file(texts: dict[str, str]) -> None:
    disturbing = [name for name, text in texts.items() if not all(is_harmless(line) for line in text.split("\n"))]

    assert disturbing == []


def test_programs_get_the_topic_as_it_is(texts: dict[str, str]) -> None:
    (story,) = json.loads(texts["status --json --meeting Weekly, stdout"])["meetings"]
    (manifest,) = [json.loads(text) for name, text in texts.items() if name.endswith("recording.json")]

    assert json.loads(texts["sync --dry-run --json, stdout"])["rows"][0]["topic"] == f"Weekly {NASTY}"
    assert story["topic"] == manifest["meeting"]["topic"] == f"Weekly {NASTY}"
