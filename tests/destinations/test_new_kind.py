"""A new kind of destination is one module and one line in `KINDS`: the whole program then works with it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import DestinationContract, a_context, an_attachment
from tests.destinations.small_kind import SmallDestination
from tests.e2e.harness import NOW, Site, a_site, served
from tests.sandbox.worlds import small_world
from zoomsync.config import parse
from zoomsync.config.json_schema import schema_text
from zoomsync.destinations.base import KINDS
from zoomsync.errors import ConfigError
from zoomsync.model import Receipt


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line."""
    monkeypatch.setitem(KINDS, "small", "tests.destinations.small_kind")


class TestSmallAsDestination(DestinationContract):
    @pytest.fixture
    def destination(self, tmp_path: Path) -> SmallDestination:
        return attached(tmp_path / "small")

    def in_a_later_pass(self, destination: Any) -> SmallDestination:
        return attached(destination.path, number=2)

    def remove_item(self, destination: Any, receipt: Receipt) -> None:
        shutil.rmtree(destination.path / receipt.place)

    def damage(self, destination: Any, receipt: Receipt, name: str, content: bytes | None) -> None:
        (stored,) = [file for file in receipt.files if file.name == name]
        path = destination.path / receipt.place / stored.place
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)


def attached(path: Path, number: int = 1) -> SmallDestination:
    made = SmallDestination(path, a_context())
    made.attach(an_attachment(number))
    return made


def test_the_program_works_with_it_from_the_first_check_to_the_deletion(tmp_path: Path) -> None:
    overrides = {"delete_recordings": "permanent", "delete_all_accounts": True, "delete_after": "1d"}
    with a_site(tmp_path, small_world(NOW), destination={"type": "small", "path": "./small"}, **overrides) as site:
        everything = sorted(served(file) for file in files(site))

        checked = site.run("auth-check")
        assert (checked.code, "small" in checked.stdout, (tmp_path / "small").exists()) == (0, True, False)
        assert "alice@example.org" in site.run("users").stdout

        planned, first, second = site.sync("--dry-run"), site.sync(), site.sync()
        assert (planned.code, len(planned.document["rows"])) == (0, 3)
        assert (first.code, first.counts["published"], second.code, second.counts["up_to_date"]) == (0, 3, 0, 3)
        assert (site.world.deletions, site.run("status").code) == ([], 0)
        assert {one.receipt.destination for one in site.state().entries.values() if one.receipt} == {site_id(site)}

        site.clock.advance(days=2)
        third = site.sync()
        assert (third.code, third.counts["deleted"]) == (0, 3)
        assert sorted(line["sha256"] for line in site.audit() if line["event"] == "deleting") == everything
        assert site.run("status", "--check").code == 0


def test_what_a_person_removed_there_stays_removed_and_is_not_deleted_from_zoom(tmp_path: Path) -> None:
    overrides = {"delete_recordings": "trash", "delete_all_accounts": True, "delete_after": "1d"}
    with a_site(tmp_path, small_world(NOW), destination={"type": "small", "path": "./small"}, **overrides) as site:
        site.sync()
        gone = site.entry("plain").receipt
        assert gone is not None
        shutil.rmtree(tmp_path / "small" / gone.place)
        site.clock.advance(days=2)

        result = site.sync()

        assert site.entry("plain").phase == "removed"
        assert site.uuid("plain") not in {uuid for uuid, _, _ in site.world.deletions}
        assert result.counts["deleted"] == 2


def test_the_config_knows_it(tmp_path: Path) -> None:
    credentials = {"account_id": "a", "client_id": "b", "client_secret": "c"}
    with pytest.raises(ConfigError) as raised:
        parse({"zoom": credentials, "destination": {"type": "smal"}}, tmp_path / "config.yaml", {})
    with pytest.raises(ConfigError) as incomplete:
        parse({"zoom": credentials, "destination": {"type": "small", "paht": "x"}}, tmp_path / "config.yaml", {})

    assert list(raised.value.problems) == [
        'destination.type: "smal" is none of library, vidizmo, rclone, small (did you mean small?)'
    ]
    assert list(incomplete.value.problems) == [
        "destination.path: missing (config.example.yaml shows it)",
        "destination.paht: unknown key (did you mean path?)",
    ]
    assert len(json.loads(schema_text())["properties"]["destination"]["anyOf"]) == len(KINDS) + 1


def files(site: Site) -> list[Any]:
    return [file for meeting in site.world.meetings.values() for file in meeting.files]


def site_id(site: Site) -> str:
    return (site.folder / "small" / "id").read_text()
