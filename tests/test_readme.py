"""README and manual cannot drift: their tables, examples, keys, messages and names are those of the code."""

import ast
import json
import re
import signal
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import click
import pytest
import yaml

from tests.fakes import START, a_file
from tests.pictures import drawn, pictures
from tests.readme import DOC, MANUAL, PAGES, README, ROOT, anchors, blocks, chapter, codes, section, tables
from zoomsync import errors
from zoomsync.cli import EXIT_CODES, main_group
from zoomsync.clock import SIGNALS
from zoomsync.config.base import settings_of
from zoomsync.config.load import parse
from zoomsync.destinations.base import KINDS
from zoomsync.destinations.vidizmo.operations import TABLE
from zoomsync.errors import Stopped, ZoomsyncError
from zoomsync.model import Kind, RecordingFile
from zoomsync.rules.layout import wanted
from zoomsync.zoom.scopes import SCOPES

SERVICE = (ROOT / "zoomsync/share/systemd/zoomsync.service").read_text(encoding="utf-8")
EXITS = {int(code): means for row, means in tables(section("Exit codes"))[0] for code in row.split(", ")}
MEANS: dict[type[ZoomsyncError], str] = {
    errors.UsageError: "usage",
    errors.ConfigError: "config",
    errors.NotAuthorized: "not authorized",
    errors.AccountListFailed: "something failed",
    errors.UserFailed: "something failed",
    errors.TimeOver: "something failed",
    errors.ListTooLong: "something failed",
    errors.PassRunning: "another pass is running",
    errors.Unfit: "the environment is not fit",
    errors.ToolMissing: "ffmpeg",
    errors.DiskFull: "disk",
    errors.StateUnusable: "state",
    errors.LibraryUnusable: "library",
    errors.ClockWrong: "clock",
    errors.Unreachable: "unreachable",
    errors.MeetingFailed: "something failed",
}
"""What the table must say of an error; of a leaf that is not here, what it says of the error above it."""


class TestExitCodes:
    """The README's table, `errors.py`, the help and this."""

    def test_every_code_that_can_come_is_in_the_table_and_no_other(self) -> None:
        of_signals = {Stopped(signum).code for signum in (*SIGNALS, signal.SIGPIPE)}

        assert set(EXITS) == {0, errors.BUG} | {error.code for error in MEANS} | of_signals

    @pytest.mark.parametrize("error", MEANS)
    def test_the_code_of_an_error_means_what_the_error_says(self, error: type[ZoomsyncError]) -> None:
        assert MEANS[error] in EXITS[error.code]

    def test_every_error_has_a_code_that_the_table_explains(self) -> None:
        branches = ZoomsyncError.__subclasses__()

        assert set(branches) <= set(MEANS)
        assert {leaf.code for branch in branches for leaf in branch.__subclasses__()} <= set(EXITS)

    def test_the_help_lists_the_same_codes(self) -> None:
        assert {int(code) for code in re.findall(r"\b\d+\b", EXIT_CODES)} == set(EXITS)


COMMANDS = {name.strip("`"): options for name, _, options in tables(section("Commands"))[0]}


class TestOptions:
    """The table of commands names every command and every option, and no other."""

    def test_every_command_is_named(self) -> None:
        assert list(COMMANDS) == [*main_group.commands, "every one"]

    @pytest.mark.parametrize("name", main_group.commands)
    def test_every_option_of_a_command_is_named(self, name: str) -> None:
        own = [option for option in options_of(main_group.commands[name]) if longest(option) not in shared()]

        assert re.findall(r"--[a-z-]+", COMMANDS[name]) == [longest(option) for option in own]

    def test_every_option_of_all_commands_is_named(self) -> None:
        assert re.findall(r"--[a-z-]+", COMMANDS["every one"]) == [*shared(), "--help"]

    def test_the_choices_are_named(self) -> None:
        every = [option for command in main_group.commands.values() for option in options_of(command)]
        choices = [(longest(option), option.type.choices) for option in every if isinstance(option.type, click.Choice)]

        assert [name for name, given in choices if f"{name} {'|'.join(given)}" not in " ".join(COMMANDS.values())] == []


def options_of(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option)]


def longest(option: click.Option) -> str:
    return max(option.opts, key=len)


def shared() -> list[str]:
    """The options that every command has."""
    every = [[longest(option) for option in options_of(command)] for command in main_group.commands.values()]
    return [name for name in every[0] if all(name in names for names in every)]


EXAMPLE = yaml.safe_load((ROOT / "config.example.yaml").read_text(encoding="utf-8"))


class TestConfig:
    """Its examples load, and every key that it names exists."""

    @pytest.mark.parametrize("block", blocks("yaml"))
    def test_an_example_loads(self, block: str, tmp_path: Path) -> None:
        config = parse(yaml.safe_load(block), tmp_path / "config.yaml", {"CREDENTIALS_DIRECTORY": str(tmp_path)})

        assert config.delete_recordings == "never"

    def test_the_hosts_for_the_firewall_are_those_of_the_config(self) -> None:
        zoom = EXAMPLE["zoom"]
        hosts = {urlsplit(zoom["oauth_url"]).hostname, urlsplit(zoom["api_url"]).hostname, *zoom["download_hosts"]}

        assert hosts <= set(codes(section("Configure")))

    def test_the_first_example_has_five_lines(self) -> None:
        assert len(blocks("yaml", README)[0].splitlines()) == 5

    def test_every_key_that_is_named_exists(self) -> None:
        nested = {f"{name}.{key}" for name, keys in EXAMPLE.items() if isinstance(keys, dict) for key in keys}
        nested |= {f"destination.{key}" for kind in KINDS for key in settings_of(kind).model_fields}
        known = {*EXAMPLE, *nested, *(name.partition(".")[2] for name in nested), *TABLE}
        known |= {f"{key}_file" for key in ("client_secret", "ping", "notify")}
        like_a_key = re.compile(r"((?:zoom|recordings|destination)\.(?!us$)[a-z_]+|[a-z]+(?:_[a-z]+)+)(?:: .*)?")
        about_configs = "\n".join(text for page, text in PAGES.items() if not page.endswith("/json.md"))
        named = {found[1] for code in codes(about_configs) if (found := like_a_key.fullmatch(code))}

        assert named - known == set()
        assert len(named) > 20


def documented_keys(schema: object) -> Iterator[str]:
    """Every key that a schema promises."""
    parts: Iterable[object] = schema if isinstance(schema, list) else ()
    if isinstance(schema, dict):
        parts, properties = schema.values(), schema.get("properties")
        yield from properties if isinstance(properties, dict) else ()
    for part in parts:
        yield from documented_keys(part)


def test_every_key_of_the_documents_is_told_of() -> None:
    schema = json.loads((ROOT / "zoomsync/share/documents.schema.json").read_text(encoding="utf-8"))

    assert set(documented_keys(schema)) - set(codes(chapter("json"))) == set()


def messages() -> list[str]:
    return [code for table in tables(chapter("messages")) for row in table for code in codes(row[0])]


class TestTables:
    """Scopes and messages are those of the code."""

    def test_the_scopes_are_those_that_zoomsync_checks_reading_apart_from_deleting(self) -> None:
        reading, deleting = (
            [tuple(codes(" ".join(row))) for row in table] for table in tables(section("Make the Zoom app"))
        )
        needs = {name: (scope.granular, *scope.classic) for name, scope in SCOPES.items()}

        assert deleting == [needs.pop("delete")]
        assert sorted(reading) == sorted(needs.values())

    @pytest.mark.parametrize("message", messages())
    def test_a_message_is_one_that_the_code_can_say(self, message: str) -> None:
        parts = [part for part in message.split("…") if part.strip(" :()")]
        said = re.compile(".*?".join(re.escape(part) for part in parts), re.DOTALL)

        assert sum(map(len, parts)) > 8
        assert any(said.search(sentence) for sentence in sentences())


@cache
def sentences() -> tuple[str, ...]:
    """Every text in the code, as a reader sees it: adjacent literals joined, what is filled in as a NUL."""
    found = []
    for file in (ROOT / "zoomsync").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(one.value) if isinstance(one, ast.Constant) else "\0" for one in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return tuple(found)


class TestNames:
    """Files, targets, packages and paths are there."""

    def test_the_item_that_is_shown_is_the_one_that_zoomsync_makes(self) -> None:
        made = {one.name.rpartition("/")[2] for one in wanted([*files_of(1), *files_of(2)])}
        shown = re.findall(r"[├└]── ((?:\d )?[\w.]+\.\w+)", blocks("text", chapter("how-it-works"))[0])

        assert sorted(shown) == sorted({"recording.json", *(name for name in made if not name.startswith("2 "))})

    def test_the_make_targets_exist(self) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        named = set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)`", MANUAL, re.MULTILINE))

        assert {one or other for one, other in named} >= {"demo", "test", "dist", "help", "check"}
        assert {one or other for one, other in named} <= targets

    def test_the_dependencies_are_those_of_the_package(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"]
        needed = [*project["dependencies"], *extras["ffmpeg"], *extras["notify"], *extras["rclone"], *extras["dask"]]
        told = "\n".join(re.findall(r"^- .*", section("What it stands on"), re.MULTILINE))

        named = set(codes(told)) - {"[ffmpeg]", "[notify]", "[rclone]", "[dask]"}
        assert named == {re.split(r"[<>=]", one)[0] for one in needed}

    def test_the_service_and_the_config_for_it_fit_together(self) -> None:
        config = yaml.safe_load(blocks("yaml", README)[1])
        unit = dict(re.findall(r"^(\w+)=(.*)", SERVICE, re.MULTILINE))
        name, _, source = unit["LoadCredential"].partition(":")

        assert Path(config["destination"]["path"]).is_relative_to(unit["ReadWritePaths"])
        assert config["state"] == f"/var/lib/{unit['StateDirectory']}/state.json"
        assert config["zoom"]["client_secret_file"] == f"${{CREDENTIALS_DIRECTORY}}/{name}"
        assert f"LoadCredential={name}:{source}" in README
        assert f" {unit['ReadWritePaths']} " in README

    def test_the_service_of_a_further_account_and_the_config_for_it_fit_together(self) -> None:
        (config,) = [yaml.safe_load(one) for one in blocks("yaml", chapter("life-cycle")) if "zoomsync-second" in one]
        text = (ROOT / "zoomsync/share/systemd/zoomsync@.service").read_text(encoding="utf-8").replace("%i", "second")
        unit = dict(re.findall(r"^(\w+)=(.*)", text, re.MULTILINE))
        name, _, source = unit["LoadCredential"].partition(":")

        assert Path(config["destination"]["path"]).is_relative_to(unit["ReadWritePaths"])
        assert config["state"] == f"/var/lib/{unit['StateDirectory']}/state.json"
        assert config["zoom"]["client_secret_file"] == f"${{CREDENTIALS_DIRECTORY}}/{name}"
        assert f" {source}\n" in "".join(blocks("sh", chapter("life-cycle")))

    @pytest.mark.parametrize("page", PAGES)
    def test_the_links_lead_somewhere(self, page: str) -> None:
        links = [link for link in re.findall(r"\]\(([^)]+)\)", PAGES[page]) if not link.startswith("https://")]

        assert [link for link in links if not leads_somewhere(page, link)] == []

    def test_the_readme_leads_to_each_chapter(self) -> None:
        linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", README)}

        assert {page for page in PAGES if page != "README.md"} <= linked

    def test_the_readme_is_short(self) -> None:
        assert len(README.splitlines()) <= 250

    def test_the_readme_shows_the_pictures_that_are_there(self) -> None:
        shown = {ROOT / path for path in re.findall(r"!\[.+?\]\((.+?)\)", README)}

        assert shown == set(DOC.glob("*.svg")) == {DOC / name for name in pictures()}

    @pytest.mark.parametrize("name", pictures())
    def test_a_picture_is_an_svg_of_what_the_text_says_now(self, name: str) -> None:
        image = ET.parse(DOC / name).getroot()

        assert image.tag == "{http://www.w3.org/2000/svg}svg"
        assert words(image) == words(ET.fromstring(drawn(*pictures()[name]))), "`make pictures` draws it again"

    def test_nobody_is_told_to_install_it_by_its_bare_name(self) -> None:
        assert not re.search(r"pip3? install [^\n`]*(?<![/\w-])zoomsync(?![-/])", MANUAL)


def leads_somewhere(page: str, link: str) -> bool:
    """Whether file and heading of a link are there, seen from the page that it stands on."""
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent.joinpath(path).resolve() if path else ROOT / page
    return target.exists() and (not anchor or anchor in anchors(PAGES[str(target.relative_to(ROOT))]))


def words(image: ET.Element) -> list[str]:
    """What a person reads in a picture."""
    return " ".join(text for one in image.iter("{http://www.w3.org/2000/svg}text") for text in one.itertext()).split()


def files_of(segment: int) -> Iterator[RecordingFile]:
    """What Zoom keeps of one segment."""
    start, end = START.replace(hour=8 + segment, minute=0), START.replace(hour=8 + segment, minute=50)
    for kind, extension, view in (
        (Kind.VIDEO, "mp4", "shared_screen_with_speaker_view"),
        (Kind.VIDEO, "mp4", "gallery_view"),
        (Kind.AUDIO, "m4a", "audio_only"),
        (Kind.CAPTIONS, "vtt", "audio_transcript"),
        (Kind.CHAT, "txt", "chat_file"),
        (Kind.SUMMARY, "json", "summary"),
        (Kind.TIMELINE, "json", "timeline"),
    ):
        yield a_file(id=f"{segment} {view}", kind=kind, extension=extension, view=view, start=start, end=end)
