"""Each endpoint broken for good in each way, for one subject, some or all: nothing that is healthy is starved by it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.destinations.rclone.stores import Gate, Server, shared_rclone
from tests.destinations.rclone.stores import served as is_served
from tests.e2e.harness import Result, Site, a_site, a_stage, served, sha256
from tests.e2e.portal_site import PortalSite, a_portal_site, impatient
from tests.e2e.trouble_matrix import ENDPOINTS, EXTENTS, HOSTS, PAGE, REMOTE_KINDS, ZOOM_KINDS, Cell, cells, page
from tests.sandbox import texts
from tests.sandbox.faults import Rule
from tests.sandbox.message import Request
from tests.sandbox.stage import Stage
from zoomsync import app
from zoomsync.destinations.vidizmo.text import tag_of
from zoomsync.http import TRIES, Http

LONGEST_FIRST = 75.0
"""Seconds for which a pass may wait about one subject that failed for the first time."""
LONGEST_LATER = 5.0
"""Seconds for which a pass may wait about all that failed before."""
REFERENCE = 40.0
"""Seconds for which it may wait about a service that is out of order."""
MOST_LINES = 30
PATIENT = Http.__init__
ACCOUNT_WIDE = ("/users", "account list")
BY_UUID = ("meeting", "deletion")
OF_HOSTS = ("/users/{id}", "user list", "meeting", "deletion")
"""What fails there has failed before with any later meeting of the same host, or does not concern new meetings."""


IN_S3 = {
    "marker": "^(GET|HEAD) /library/.zoomsync/library.json",
    "look": "^(GET|HEAD) /library/published/({})%40.*/recording.json",
    "list": "^GET /library[?].*prefix=published%2F({})%40",
    "upload": "^PUT /library/published/({})%40.*[.]mp4",
    "document": "^PUT /library/published/({})%40.*/recording.json",
}
"""What of a remote fails: requests about these hosts."""


@dataclass(kw_only=True)
class Against(Rule):
    """A fault of a portal's operation that strikes these hosts alone."""

    hosts: tuple[str, ...]
    watch: "Watch"

    def strikes(self, request: Request, operation: str = "") -> bool:
        return operation == self.operation and self.watch.host in self.hosts and super().strikes(request, operation)

    def _matches(self, _: Request) -> bool:
        return True


@dataclass(kw_only=True)
class Watch(Rule):
    """Strikes nothing: it sees whose publication each request of the one worker is about."""

    site: PortalSite
    hosts: dict[str, str] = field(default_factory=dict)
    """uuid, tag or e-mail → host."""
    of_publication: str | None = None
    host: str | None = None
    """Whom the present request concerns; None: nobody of the hosts."""

    def strikes(self, request: Request, operation: str = "") -> bool:
        if operation in ("user_find", "media_search"):
            keyword = re.search(rb'"keyword": *"([^"]*)"', request.body)
            self.host = self.hosts.get(keyword[1].decode() if keyword else "")
            if operation == "media_search":
                self.of_publication = self.host
        elif operation in ("media_get", "media_update", "caption_add", "handout_add"):
            media = self.site.portal.media.get(request.path.split("/mashup/")[1].split("/")[0])
            self.host = self.hosts.get(str(media.attributes.get("ZoomMeetingUUID"))) if media else None
        else:
            self.host = self.of_publication
        return False


class Scene:
    """A site on which a cell of the matrix is played."""

    def __init__(self, site: Site, stage: Stage, cell: Cell) -> None:
        self.site = site
        self.stage = stage
        self.cell = cell
        self.names: dict[str, str] = {}
        """Short name of each meeting → its host."""
        self.gate: Gate | None = None
        """What stands before the remote."""

    def record(self, label: str, hour: int | None = None) -> None:
        """A new meeting of every host: of two days ago, or of this hour of today.

        With the second pass those have none of whom each new meeting would be a further subject that fails.
        """
        is_more = label == "third" and self.cell.endpoint.has_subjects and self.cell.endpoint.name not in OF_HOSTS
        for segment, host in enumerate(HOSTS, 1):
            if is_more and host in self.cell.broken:
                continue
            name = f"{host} {label}"
            self.names[name] = host
            meeting = self.stage.meeting(name, host, 2, f"Of {name}")
            if hour is not None:
                meeting.start = self.site.clock.now().replace(hour=hour)
            self.stage.video(name, segment, seconds=1)
            if self.cell.endpoint.name == "caption_add":
                self.stage.transcript(name, segment, seconds=1)
            if self.cell.endpoint.name in ("handout_add", "media_update"):
                self.stage.file(name, texts.chat(segment), "CHAT", "chat_file", "TXT", seconds=1)

    def strike(self) -> None:
        """Let the cell's endpoint fail for good, from now on."""
        endpoint, broken = self.cell.endpoint, self.cell.broken
        if self.gate is not None:
            self.gate.replies = {IN_S3[endpoint.name].format("|".join(broken)): REMOTE_KINDS[self.cell.kind]}
            return
        fault = endpoint.fault(self.cell.kind)
        if isinstance(self.site, PortalSite) and endpoint.is_portal:
            watch = Watch(path="", method=None, fault=fault, site=self.site)
            for name, host in self.names.items():
                uuid = self.site.uuid(name)
                watch.hosts |= {uuid: host, tag_of(uuid): host, f"{host}@example.org": host}
            rules = self.site.portal.rules
            if self.cell.extent == "all":
                self.site.portal.fail(operation=endpoint.name, with_=fault, times=None)
            else:
                rules[:] = [watch, Against(path="", method=None, fault=fault, times=None, operation=endpoint.name,
                                           hosts=broken, watch=watch)]  # fmt: skip
            return
        meetings = {name: self.stage.world.meetings[self.site.uuid(name)] for name in self.names}
        new = [name for name, host in self.names.items() if host in broken and not name.endswith("first")]
        files = "|".join(file.id for name in new for file in meetings[name].files)
        uuids = "|".join(re.escape(quote(self.site.uuid(f"{host} first"), safe="")) for host in broken)
        who = "|".join(broken)
        method, path = {
            "token": ("POST", "^/oauth/token$"),
            "/users": ("GET", "^/v2/users$"),
            "/users/{id}": ("GET", f"^/v2/users/({who})@example.org$"),
            "account list": ("GET", "^/v2/accounts/me/recordings$"),
            "user list": ("GET", f"^/v2/users/id_({who})/recordings$"),
            "meeting": ("GET", f"^/v2/meetings/({uuids})/recordings$"),
            "deletion": ("DELETE", f"^/v2/meetings/({uuids})/recordings/"),
            "download address": ("GET", f"^/rec/download/({files})$"),
            "signed download": ("GET", f"^/ssrweb/({files})$"),
        }[endpoint.name]
        self.site.sandbox.heal()
        self.site.sandbox.fail(path, method=method, with_=fault, times=None)

    def heal(self) -> None:
        """End the fault."""
        self.site.sandbox.heal()
        if self.gate is not None:
            self.gate.replies = {}
        if isinstance(self.site, PortalSite):
            self.site.portal.heal()

    def one_pass(self) -> Result:
        """A quiet pass; what it waited for is in `site.clock.slept`."""
        self.site.clock.slept.clear()
        return self.site.run("-q", "sync")

    def waited(self) -> float:
        """Seconds for which the last pass waited, but for its rate and for threads of its own."""
        return sum(pause for pause in self.site.clock.slept if pause >= 0.5)

    def stored(self) -> set[str]:
        """Short names of the meetings that are published; each is there once, and with what Zoom serves."""
        found = set()
        for name, host in self.names.items():
            video = served(self.stage.world.meetings[self.site.uuid(name)].files[0])
            if isinstance(self.site, PortalSite):
                media = self.site.media(name)
                author = self.site.portal.user(f"{host}@example.org").id if media else ""
                assert [(one.sha256, one.author) for one in media] in ([], [(video, author)]), name
                found |= {name} if media else set()
            elif self.site.root.exists():
                ending = f"[{tag_of(self.site.uuid(name)).removeprefix('zoom')}]"
                items = [
                    path.parent for path in self.site.root.rglob("recording.json") if path.parent.name.endswith(ending)
                ]
                assert [[sha256(one) for one in item.glob("*.mp4")] for item in items] in ([], [[video]]), name
                assert all(f"/{host}@example.org/" in str(item) for item in items), name
                found |= {name} if items else set()
        return found

    def old_files(self, *hosts: str) -> set[str]:
        """Ids of the files of these hosts that are due for deletion."""
        found = (self.stage.world.meetings[self.site.uuid(f"{host} first")] for host in hosts)
        return {file.id for meeting in found for file in meeting.files}

    def deleted(self) -> list[str]:
        """Ids of the files that Zoom deleted for us."""
        return [id_ for _, id_, _ in self.stage.world.deletions]


@contextmanager
def scene(folder: Path, cell: Cell) -> Iterator[Scene]:
    """Six hosts, each with a meeting of two days ago."""
    stage = a_stage()
    for host in HOSTS[1:]:
        stage.world.add_user(f"{host.title()} Example")
    is_wide = cell.endpoint.name in ACCOUNT_WIDE
    config: dict[str, Any] = {
        "filter_accounts": [] if is_wide else [f"{host}@example.org" for host in HOSTS],
        "recordings": {"since": "2026-03-01"},
    }
    new = Scene.__new__(Scene)
    Scene.__init__(new, None, stage, cell)  # type: ignore[arg-type]  # the site comes with the world
    new.record("first")
    if cell.endpoint.is_portal:
        with a_portal_site(folder, stage, {}, config | {"workers": 1}) as site:
            new.site = site
            yield new
    elif cell.endpoint.is_remote:
        with shared_rclone(folder) as shared:
            (folder / "library").mkdir()
            new.gate = Gate(is_served(shared, "s3", folder))
            remote = shared.add(**Server(new.gate.address).as_s3(provider="Rclone"))
            below = {"type": "rclone", "path": None, "remote": f"{remote}:library", "config": str(shared.config)}
            with a_site(folder, stage.world, **config, destination=below | {"flags": ["--timeout=1s"]}) as new.site:
                yield new
            new.gate.close()
    else:
        with a_site(folder, stage.world, **config) as new.site:
            yield new


def fields() -> list[Any]:
    """Every cell as a parameter: those that the suite leaves out are for `make soak`."""
    found = []
    for cell, is_in_suite in cells():
        marks = [] if is_in_suite else [pytest.mark.soak]
        marks += [pytest.mark.xfail(reason=cell.not_yet, strict=True)] if cell.not_yet else []
        found.append(pytest.param(cell, id=str(cell), marks=marks))
    return found


@pytest.mark.parametrize("cell", fields())
def test_trouble_stays_with_its_subject(tmp_path: Path, cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """1. A healthy pass. 2. Two passes with the fault. 3. One after it."""
    for module in ("order", "fetch"):  # whether clips can be played is known
        monkeypatch.setattr(f"zoomsync.item.{module}.inspect", lambda *_: None)
    with scene(tmp_path, cell) as played:
        site, expected = played.site, cell.expected
        assert site.sync().code == 0
        assert len(played.stored()) == len(HOSTS)
        site.configure(delete_recordings="trash", delete_all_accounts=True)
        site.clock.advance(days=8)
        if cell.endpoint.is_remote:
            monkeypatch.setattr(app, "TRIES", 1)
        elif cell.kind == "stalled":
            monkeypatch.setattr(Http, "__init__", impatient(0.4, "portal" if cell.endpoint.is_portal else "zoom"))
            monkeypatch.setattr(app, "TRIES", 2)

        for number, label in enumerate(("second", "third")):
            played.record(label, hour=3 + number)
            played.strike()
            result = played.one_pass()
            require(played, label, result, number)
            site.clock.advance(hours=1)

        played.heal()
        monkeypatch.setattr(Http, "__init__", PATIENT)
        monkeypatch.setattr(app, "TRIES", TRIES)
        site.clock.advance(days=2)
        healed = played.one_pass()
        assert (healed.code, healed.stderr) == (0, ""), healed.stderr
        assert played.stored() == set(played.names)
        is_taken_for_gone = cell.endpoint.name in BY_UUID and expected.word == "around"
        gone = played.old_files(*HOSTS) - (played.old_files(*cell.broken) if is_taken_for_gone else set())
        assert sorted(played.deleted()) == sorted(gone)
        assert site.run("status", "--check").code == 0
        assert site.state().open_intents() == ()


def require(played: Scene, label: str, result: Result, number: int) -> None:
    """What holds after a pass with the fault."""
    cell, expected, stored = played.cell, played.cell.expected, played.stored()
    assert result.code == expected.codes[number], result.stderr
    starved = {"broken": cell.broken, "nobody": (), "everybody": HOSTS}[expected.starves]
    missing = {host for name, host in played.names.items() if name.endswith(label) and name not in stored}
    assert missing <= set(starved), result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) <= MOST_LINES, result.stderr
    assert bool(result.stderr) or not result.code
    is_done = (cell.endpoint.name, cell.kind) == ("deletion", "cut") or expected.word == "around"
    is_kept = cell.endpoint.name in ("media_get", "look", "list") or (cell.endpoint.name in BY_UUID and not is_done)
    kept = HOSTS if expected.starves == "everybody" else cell.broken if is_kept else ()
    assert len(played.deleted()) == len(set(played.deleted()))
    assert set(played.deleted()) <= played.old_files(*(host for host in HOSTS if host not in kept))
    if expected.starves == "everybody":
        assert played.waited() <= REFERENCE
    elif number:
        is_begun = (cell.endpoint.name, cell.extent) != ("deletion", "all")  # after three of six it was given up
        assert played.waited() <= (LONGEST_LATER if is_begun else LONGEST_FIRST * 3), played.site.clock.slept
    else:
        assert played.waited() <= LONGEST_FIRST * (len(cell.broken) + 1)


def test_the_table_for_people_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.e2e.trouble_matrix"


def test_the_suite_has_every_endpoint_every_kind_and_every_extent() -> None:
    chosen = [cell for cell, is_in_suite in cells() if is_in_suite]

    assert {cell.endpoint.name for cell in chosen} == {one.name for one in ENDPOINTS}
    assert {cell.kind for cell in chosen} == set(ZOOM_KINDS)
    assert {cell.extent for cell in chosen if cell.endpoint.has_subjects} == set(EXTENTS)
