"""Under whom whole passes publish at the portal, and what they make of its users on the way."""

from collections import Counter

import pytest

from tests.e2e.harness import a_stage
from tests.e2e.portal_site import ALICE, AtPortal, PortalSite
from tests.sandbox.faults import Fault
from tests.sandbox.message import json_answer
from tests.sandbox.stage import Stage

BOB, CAROL, DAVE, ERIN = (f"{name}@example.org" for name in ("bob", "carol", "dave", "erin"))
EACH = 2
"""Recordings of each host."""
NOTES = {
    ALICE: "would be created and invited",
    BOB: "Viewer would become Contributor",
    CAROL: "falls back to me: disabled in the portal",
    DAVE: "exists",
    ERIN: "falls back to me: 2 users of the portal have this e-mail",
}


def hosts_with_recordings(*hosts: str) -> Stage:
    """Recordings of each host, from some days ago on, named `bob0`, `bob1` …"""
    stage = a_stage()
    for host in hosts:
        if host != "alice":
            stage.world.add_user(f"{host.title()} Example")
        for number in range(EACH):
            add(stage, host, number)
    return stage


def add(stage: Stage, host: str, number: int) -> None:
    """One more recording of a host."""
    stage.meeting(f"{host}{number}", host, 8 - number, f"{host} {number}")
    stage.video(f"{host}{number}", seconds=1)


def authors(site: PortalSite) -> Counter[tuple[str, str]]:
    """How many media there are of each host under each author."""
    hosts = {uuid: site.world.users[one.host_id].email for uuid, one in site.world.meetings.items()}
    return Counter(
        (hosts[media.attributes["ZoomMeetingUUID"]], site.portal.users[media.author].email)
        for media in site.portal.media.values()
    )


@pytest.fixture
def town(at_portal: AtPortal) -> PortalSite:
    """Hosts of every standing, recordings of each, and four workers."""
    site = at_portal(hosts_with_recordings("alice", "bob", "carol", "dave", "erin"), config={"workers": 4})
    site.portal.add_user(BOB, "Viewer")
    site.portal.add_user(CAROL, "Contributor", active=False)
    site.portal.add_user(DAVE, "Content Manager")
    for _ in range(2):
        site.portal.add_user(ERIN, "Contributor")
    return site


def test_each_host_is_author_as_his_groups_allow_and_is_changed_and_reported_once(town: PortalSite) -> None:
    result = town.sync("-v")

    me = town.portal.email
    assert (result.code, result.counts["published"]) == (0, 5 * EACH)
    assert authors(town) == {
        (ALICE, ALICE): EACH, (BOB, BOB): EACH, (CAROL, me): EACH, (DAVE, DAVE): EACH, (ERIN, me): EACH
    }  # fmt: skip
    assert town.portal.user(BOB).groups == ["Viewer", "Contributor"]
    assert town.portal.user(DAVE).groups == ["Content Manager"]
    assert town.portal.user(CAROL).groups == ["Contributor"]
    assert [len(town.portal.calls(name)) for name in ("group_add_user", "user_create", "user_invite")] == [1, 1, 0]
    assert [one.email for one in town.portal.invitations] == [ALICE]
    said = [line.partition(" portal: ")[2] for line in result.stderr.splitlines()]
    assert sorted(line for line in said if "@" in line) == [
        f"{ALICE}: created as Contributor and invited",
        f"{BOB}: Contributor added; was in Viewer",
        f"{CAROL}: published as {me}: disabled in the portal",
        f"{ERIN}: published as {me}: 2 users of the portal have this e-mail",
    ]


def test_who_was_raised_or_made_is_an_ordinary_author_to_later_passes(town: PortalSite) -> None:
    town.sync()
    town.portal.forget()
    for host in ("alice", "bob"):
        add_to(town, host)

    result = town.sync("-v")

    assert (result.code, result.counts["published"]) == (0, 2)
    assert (authors(town)[BOB, BOB], authors(town)[ALICE, ALICE]) == (EACH + 1, EACH + 1)
    assert town.portal.user(BOB).groups == ["Viewer", "Contributor"]
    assert [len(town.portal.calls(name)) for name in ("group_add_user", "user_create", "user_invite")] == [0, 0, 0]
    assert [one.email for one in town.portal.invitations] == [ALICE]
    assert "Contributor" not in result.stderr


def test_users_and_a_dry_run_say_it_beforehand_and_change_nothing(town: PortalSite) -> None:
    notes = {row["email"]: row["note"] for row in town.run("--json", "users").document["users"]}
    dry = town.run("sync", "--dry-run")

    assert notes == NOTES
    assert dry.code == 0
    assert "authors: 1 would be created, 1 would be raised, 2 fall back to me" in dry.stdout
    assert {one.operation for one in town.portal.requests} == {"sign_in", "user_find", "group_list"}
    assert (town.portal.user(BOB).groups, town.portal.invitations) == (["Viewer"], [])


def test_a_host_whom_the_portal_refuses_to_look_up_hides_no_other(town: PortalSite) -> None:
    refused = json_answer({"name": "BadKeywordException"}, status=400)
    is_bob = Fault(change=lambda request, answer: refused if BOB.encode() in request.body else answer)
    town.portal.fail(operation="user_find", with_=is_bob, times=None)

    listed = town.run("--json", "users")
    dry = town.run("sync", "--dry-run")

    notes = {row["email"]: (row["author"], row["note"]) for row in listed.document["users"]}
    assert "BadKeywordException" in notes[BOB][1]
    assert notes[BOB][0] == ""
    assert {email: note for email, (_, note) in notes.items() if email != BOB} == {
        email: note for email, note in NOTES.items() if email != BOB
    }
    assert "authors: 1 would be created, 2 fall back to me" in dry.stdout
    assert "author not known: portal: user_find: HTTP 400, BadKeywordException" in dry.stderr


def test_new_users_are_invited_once_however_many_recordings_workers_and_passes(at_portal: AtPortal) -> None:
    hosts = ("alice", "bob", "carol")
    site = at_portal(hosts_with_recordings(*hosts), config={"workers": 4})

    first = site.sync()
    for host in hosts:
        add_to(site, host)
    second = site.sync()

    assert (first.code, first.counts["published"], second.code, second.counts["published"]) == (0, 3 * EACH, 0, 3)
    assert authors(site) == {(one, one): EACH + 1 for one in (ALICE, BOB, CAROL)}
    assert sorted(one.email for one in site.portal.invitations) == [ALICE, BOB, CAROL]
    assert len(site.portal.calls("user_create")) == 3
    new = [site.portal.user(one) for one in (ALICE, BOB, CAROL)]
    assert [f"{one.first_name} {one.last_name}" for one in new] == ["Alice Example", "Bob Example", "Carol Example"]
    assert site.state().open_intents() == ()


def test_where_the_invitation_is_a_call_of_its_own_it_is_sent_once_too(at_portal: AtPortal) -> None:
    below = {"invitation": "call"}
    site = at_portal(hosts_with_recordings("alice"), below, {"workers": 4, "filter_accounts": [ALICE]})

    site.sync()
    add_to(site, "alice")
    site.sync()

    alice = site.portal.user(ALICE)
    assert (alice.first_name, alice.last_name, alice.groups) == ("Alice", "Example", ["Contributor"])
    assert authors(site) == {(ALICE, ALICE): EACH + 1}
    assert [one.email for one in site.portal.invitations] == [ALICE]


def test_who_has_a_display_name_alone_is_made_a_user_of_that_name(at_portal: AtPortal) -> None:
    stage = hosts_with_recordings("alice", "bob")
    alice, bob = stage.world.users["id_alice"], stage.world.users["id_bob"]
    alice.first_name, alice.last_name, alice.display_name = "", " ", "Alice van Example"
    bob.last_name = ""
    site = at_portal(stage)

    site.sync()

    made = [site.portal.user(one) for one in (ALICE, BOB)]
    assert [(one.first_name, one.last_name) for one in made] == [("Alice van", "Example"), ("Bob", "")]


def test_beyond_max_new_users_a_pass_publishes_as_me_and_a_later_one_goes_on(at_portal: AtPortal) -> None:
    site = at_portal(hosts_with_recordings("alice", "bob"), {"max_new_users": 1}, {"workers": 1})
    me = site.portal.email
    notes = sorted(row["note"] for row in site.run("--json", "users").document["users"])
    dry = site.run("sync", "--dry-run")

    first = site.sync()
    (new,) = {one.email for one in site.portal.invitations}
    (other,) = {ALICE, BOB} - {new}
    before = authors(site)
    add_to(site, other.partition("@")[0])
    second = site.sync()

    why = "max_new_users (1) is reached in this pass"
    assert notes == [f"falls back to me: {why}", "would be created and invited"]
    assert "authors: 1 would be created, 1 fall back to me" in dry.stdout
    assert (first.code, second.code) == (0, 0)
    assert before == {(new, new): EACH, (other, me): EACH}
    assert first.stderr.count(f"portal: {other}: published as {me}: {why}") == 1
    assert authors(site) == before + Counter({(other, other): 1})
    assert sorted(one.email for one in site.portal.invitations) == [ALICE, BOB]


def add_to(site: PortalSite, host: str) -> None:
    """One more recording of a host, a day later."""
    add(Stage(site.world), host, EACH)
    site.clock.advance(days=1)
