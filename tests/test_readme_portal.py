"""What the manual says of a VIDIZMO portal cannot drift: its table of operations, its examples, the app's settings."""

import re
from pathlib import Path

import pytest
import yaml

from tests.readme import ROOT, blocks, chapter, codes, tables
from tests.test_readme import EXAMPLE, sentences
from zoomsync.config.load import parse
from zoomsync.destinations.vidizmo.operations import TABLE
from zoomsync.destinations.vidizmo.settings import VidizmoSettings
from zoomsync.destinations.vidizmo.templates import Meaning, Operation
from zoomsync.errors import ConfigError

APP = (
    "Account ID", "Client ID", "Client Secret", "Filter Accounts", "Publish As", "Concatenate Recordings",
    "Delete Conference Recordings", "Publish Settings", "on/off", "Sync process", "Last synced attempt",
    "Last recording fetched till", "Authorization status",
)  # fmt: skip
"""What the VIDIZMO–Zoom app can be told, and what it tells."""


PORTAL, COMING = chapter("portal"), chapter("from-the-vidizmo-app")
EXAMPLES = blocks("yaml", PORTAL)


class TestPortal:
    """What it says of a portal is what the code does."""

    def test_the_first_example_has_six_lines(self) -> None:
        block = EXAMPLES[0]

        assert (len(block.splitlines()), set(EXAMPLE) >= set(yaml.safe_load(block))) == (6, True)

    def test_the_operations_are_those_of_the_table(self) -> None:
        told = [tuple(row) for row in tables(PORTAL)[0]]
        known = {True: "confirmed", False: "assumed"}

        assert told == [(f"`{name}`", f"`{asked(row)}`", known[row.confirmed]) for name, row in TABLE.items()]

    def test_the_names_and_places_are_those_of_the_table(self) -> None:
        told = [tuple(row) for row in tables(PORTAL)[1]]

        assert told == [(f"`{name}`", names(row), " ".join(row.answer) or "–") for name, row in TABLE.items()]

    def test_the_example_of_another_portal_overrides_what_it_names(self, tmp_path: Path) -> None:
        document = yaml.safe_load(EXAMPLES[2])
        config = parse(document, tmp_path / "config.yaml", {})
        assert isinstance(config.destination, VidizmoSettings)
        table = config.destination.table

        assert {name for name in TABLE if table[name] != TABLE[name]} == set(document["destination"]["endpoints"])
        assert asked(table["upload_block"]).endswith("?comp=block&index={block_number}")
        assert table["media_get"].answer == {
            **TABLE["media_get"].answer, "captions": "tracks", "caption_culture": "language",
            "caption_name": "file.name",
        }  # fmt: skip

    def test_the_example_of_an_override_overrides(self, tmp_path: Path) -> None:
        document = yaml.safe_load(EXAMPLES[1])
        config = parse(document, tmp_path / "config.yaml", {})
        assert isinstance(config.destination, VidizmoSettings)
        table = config.destination.table
        rows = document["destination"]["endpoints"]

        assert {name for name in TABLE if table[name] != TABLE[name]} == set(rows)
        assert asked(table["user_find"]) == "GET users?email={email}&limit={page_size}&offset={offset}"
        assert not table["user_find"].body
        assert table["media_get"].answer["processed"] == "content.0.state"
        assert table["media_get"].meanings["processed"] == Meaning(yes=("Ready",), gone=("Removed",))

    def test_permanent_deletion_is_refused_at_a_portal(self, tmp_path: Path) -> None:
        document = yaml.safe_load(EXAMPLES[0])
        wants = {"delete_recordings": "permanent", "filter_accounts": ["ada@example.org"]}

        with pytest.raises(ConfigError) as refused:
            parse(document | wants, tmp_path / "config.yaml", {})
        assert [one.partition(":")[0] for one in refused.value.problems] == ["delete_recordings"]
        assert parse(document | wants | {"delete_recordings": "trash"}, tmp_path / "config.yaml", {})

    @pytest.mark.parametrize(
        "text",
        [code for code in codes(PORTAL) if re.fullmatch(r"\w+: (?!permanent)\S+", code)],
    )
    def test_a_setting_with_a_value_is_one_that_the_config_takes(self, text: str, tmp_path: Path) -> None:
        key, _, value = text.partition(": ")
        document = yaml.safe_load(EXAMPLES[0])
        more = {"scim_url": "https://portal.example.org/scim", "scim_token": "token"} if value == "scim" else {}
        if key in EXAMPLE:
            document[key] = value
        else:
            document["destination"] |= {key: value, **more}

        assert parse(document, tmp_path / "config.yaml", {})

    def test_the_defaults_that_it_names_are_those_of_the_config(self) -> None:
        portal, text = VidizmoSettings.model_fields, PORTAL

        assert f"`max_new_users` ({portal['max_new_users'].default} a pass)" in text
        assert "`destination.index_lag` (15m)" in text
        assert "index_lag: 15m " in (ROOT / "config.example.yaml").read_text(encoding="utf-8")

    def test_every_setting_of_the_app_is_there(self) -> None:
        told = ", ".join(row[0] for row in tables(COMING)[0])

        assert told == ", ".join(APP)

    @pytest.mark.parametrize("name", APP[-4:])
    def test_status_tells_what_the_app_tells_in_the_same_words(self, name: str) -> None:
        assert any(sentence.startswith(name) for sentence in sentences())


def names(row: Operation) -> str:
    """What it can write in braces, what it must write in bold."""
    needed = sorted(row.required)
    others = sorted(row.values - {one for name in needed for one in name.split("|")})
    bold = [f"**{name.replace('|', '** or **')}**" for name in needed]
    return " ".join([*bold, *others]) or "–"


def asked(row: Operation) -> str:
    """Method, path and query of an operation."""
    query = "&".join(f"{name}={value}" for name, value in row.query.items())
    return f"{row.method} {row.path}{'?' if query else ''}{query}"
