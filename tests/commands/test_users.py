"""`users` against the stand-in Zoom: who is selected, and under whom each would be published."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import NOW, Site, a_site
from tests.fakes import an_entry
from tests.sandbox.worlds import full_world
from zoomsync import __version__
from zoomsync.state import State

Begin = Callable[..., Site]
PENDING = "has not accepted Zoom's invitation: records nothing"


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """A site over the full world, whose library and ledger are empty."""
    with ExitStack() as stack:

        def new(**overrides: Any) -> Site:
            return stack.enter_context(a_site(tmp_path, full_world(NOW, has_media=False), **overrides))

        yield new


def remember(site: Site, *hosts: tuple[str, str]) -> None:
    """Put one meeting of each host (id, e-mail) into the ledger."""
    with State.open(site.folder / "state" / "state.json", new_id="f" * 32) as state:
        entries = [an_entry(uuid=f"uuid{n}", host_id=id_, host_email=email) for n, (id_, email) in enumerate(hosts)]
        state.put(*entries)


def rows(site: Site, *fields: str) -> list[tuple[str, ...]]:
    """These fields of each user, as JSON has them."""
    found = site.run("users", "--json").document["users"]
    return [tuple(str(user[field]) for field in fields) for user in found]


def test_everybody_is_listed_and_nothing_is_written(begin: Begin) -> None:
    site = begin()

    result = site.run("users")

    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "email              name             status    recordings  author             note",
        "alice@example.org  Alice Example    active    0           alice@example.org  gets a folder",
        "bob@example.org    Bob Example      active    0           bob@example.org    gets a folder",
        "carol@example.org  Carol Núñez-Łoś  active    0           carol@example.org  gets a folder",
        "dan@example.org    Dan Departed     inactive  0           dan@example.org    gets a folder",
        "erin@example.org   Erin Events      active    0           erin@example.org   gets a folder",
        "faye@example.org   Faye             active    0           faye@example.org   gets a folder",
        "grace@example.org  Grace Silent     active    0           grace@example.org  gets a folder",
        f"henry@example.org  Henry Pending    pending   0                              {PENDING}",
    ]
    assert [path.name for path in site.folder.iterdir()] == ["config.yaml"]


def test_the_document_has_stable_keys(begin: Begin) -> None:
    document = begin(filter_accounts=["bob@example.org"]).run("--json", "users").document

    assert document == {
        "format": 1,
        "version": __version__,
        "users": [
            {
                "id": "id_bob",
                "email": "bob@example.org",
                "name": "Bob Example",
                "status": "active",
                "recordings": 0,
                "author": "bob@example.org",
                "note": "gets a folder",
            }
        ],
    }


def test_recordings_are_those_of_the_ledger_and_who_has_left_stays_in_the_list(begin: Begin) -> None:
    site = begin(exclude_accounts=["bob@example.org"])
    hosts = [("id_alice", "alice@example.org")] * 2 + [("id_bob", "bob@example.org"), ("id_zoe", "zoe@example.org")]
    remember(site, *hosts)

    found = [row for row in rows(site, "email", "status", "recordings") if row[2] != "0" or "bob" in row[0]]

    assert found == [("alice@example.org", "active", "2"), ("zoe@example.org", "departed", "1")]


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({}, ("alice@example.org", "has a folder")),
        ({"publish_as": "me", "me": "av@example.org"}, ("av@example.org", "publish_as is me, gets a folder")),
        (
            {"aliases": {"alice@example.org": "liddell@example.org"}},
            ("liddell@example.org", "alias, has a folder"),
        ),
    ],
)
def test_the_note_says_how_the_author_came_about(begin: Begin, config: dict[str, Any], found: tuple[str, str]) -> None:
    site = begin(filter_accounts=["alice@example.org"], **config)
    (site.root / "published" / "alice@example.org").mkdir(parents=True)
    (site.root / "drafts" / "liddell@example.org").mkdir(parents=True)

    assert rows(site, "author", "note") == [found]


def test_a_departed_host_without_an_address_falls_back_to_me(begin: Begin) -> None:
    site = begin(me="av@example.org")
    remember(site, ("id_nobody", ""))

    assert rows(site, "id", "author", "note")[0] == (
        "id_nobody",
        "av@example.org",
        "falls back to me: the host has no e-mail, gets a folder",
    )


def test_named_accounts_alone_are_asked_about(begin: Begin) -> None:
    site = begin(filter_accounts=["bob@example.org", "dan@example.org"], exclude_accounts=["bob@example.org"])

    assert rows(site, "email", "status") == [("dan@example.org", "inactive")]
    assert site.calls() == [
        "POST /oauth/token",
        "GET /users/bob@example.org",
        "GET /users/dan@example.org",
    ]


def test_an_address_that_would_keep_a_pass_from_beginning_is_shown_and_refused(begin: Begin) -> None:
    site = begin(filter_accounts=["nobody@example.org", "henry@example.org", "gone@example.org", "bob@example.org"])
    remember(site, ("id_gone", "gone@example.org"))

    result = site.run("users")
    site.configure(unknown_accounts="warn")

    assert (result.code, result.stderr.splitlines()) == (
        2,
        [
            "zoomsync: error: filter_accounts: nobody@example.org, henry@example.org: Zoom knows no such user",
            "zoomsync: hint: correct the address, or set `unknown_accounts: warn`",
        ],
    )
    assert rows(site, "email", "status", "note") == [
        ("bob@example.org", "active", "gets a folder"),
        ("gone@example.org", "departed", "gets a folder"),
        ("henry@example.org", "pending", PENDING),
        ("nobody@example.org", "unknown", "Zoom knows no such user"),
    ]
    assert site.run("users").code == 0


def test_all_makes_no_difference_to_a_library(begin: Begin) -> None:
    site = begin()

    assert site.run("users", "--all") == site.run("users")


def test_a_name_cannot_play_with_the_terminal(begin: Begin) -> None:
    site = begin(filter_accounts=["bob@example.org"])
    site.world.users["id_bob"].first_name = "\x1b[2J\u202eBob"

    assert r"\x1b[2J\u202eBob Example" in site.run("users").stdout


def test_a_missing_right_is_said(begin: Begin) -> None:
    site = begin()
    site.sandbox.settings.scopes = ("recording:read:admin",)

    result = site.run("users")

    assert (result.code, result.stdout) == (3, "")
    assert result.stderr.startswith("zoomsync: error: zoom: active users: the app lacks a scope: user:read:admin")
