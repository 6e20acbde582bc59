"""Whole passes with unusual texts, files and versions, and more new hosts than a pass may make users of."""

import pytest

from tests.e2e.harness import Result, a_stage
from tests.e2e.portal_site import ALICE, TRASH, AtPortal, PortalSite
from tests.sandbox.content import Text
from tests.sandbox.stage import VIEWS, Stage

LONG = "Prüfung der Größe – 会議 🎓 " * 12
"""A topic of 300 characters and more bytes."""
TOPICS = {
    "accents": "Übung Ökologie: “Größe” & <Maß>",
    "signs": "会議 🎓👩‍💻 и встреча",
    "long": LONG[:300],
    "blank": "",
}


def a_week_later(site: PortalSite) -> Result:
    """The pass in which what was published before is deleted at Zoom."""
    site.clock.advance(days=8)
    return site.sync()


class TestTexts:
    """What people write is stored as they wrote it, whatever it is."""

    def test_topics_and_names_in_any_script_come_through_to_the_deletion(self, at_portal: AtPortal) -> None:
        stage = a_stage()
        stage.world.users["id_alice"].first_name, stage.world.users["id_alice"].last_name = "Zoë", "Łukasz-Ng 王"
        for number, (name, topic) in enumerate(TOPICS.items()):
            stage.meeting(name, "alice", 2 + number, topic)
            stage.video(name, seconds=1)
            stage.texts(name, seconds=1)
        site = at_portal(stage, {"tags": ["Vorlesung Ü"]}, TRASH)

        first, second, last = site.sync(), site.sync(), a_week_later(site)

        alice = site.portal.user(ALICE)
        titles = {name: site.one(name).title.rpartition(" – ")[0] for name in TOPICS}
        assert (first.code, first.counts["published"], second.counts["up_to_date"]) == (0, 4, 4)
        assert (last.code, last.counts["deleted"]) == (0, 4)
        assert titles == {name: topic.strip() for name, topic in TOPICS.items()}
        assert (alice.first_name, alice.last_name) == ("Zoë", "Łukasz-Ng 王")
        assert {"Vorlesung Ü" in site.one(name).tags for name in TOPICS} == {True}
        assert site.reported() == {}

    def test_a_lost_state_is_made_again_of_them(self, at_portal: AtPortal) -> None:
        stage = a_stage()
        for number, (name, topic) in enumerate(TOPICS.items()):
            stage.meeting(name, "alice", 2 + number, topic, uuid=f"/Ü{name}+会==")
            stage.video(name, seconds=1)
        site = at_portal(stage)
        site.sync()
        receipts = {name: site.entry(name).receipt for name in TOPICS}
        for path in (site.folder / "state").glob("state.*"):
            path.unlink()

        again = site.sync()

        assert (again.code, site.downloads(), len(site.portal.media)) == (0, [], len(TOPICS))
        assert {name: site.entry(name).receipt for name in TOPICS} == receipts


def test_an_empty_chat_is_attached_verified_and_kept_in_zoom(at_portal: AtPortal) -> None:
    stage = a_stage()
    stage.meeting("quiet", "alice", 2, "Nobody wrote a word")
    video = stage.video("quiet", seconds=1)
    stage.file("quiet", Text(b""), "CHAT", "chat_file", "TXT", seconds=1)
    site = at_portal(stage, config=TRASH, empty_blocks=True)

    first, last = site.sync(), a_week_later(site)

    assert (first.code, first.counts["published"], last.code, last.counts["deleted"]) == (0, 1, 0, 1)
    assert [(one.file_name, one.blob.data) for one in site.one("quiet").handouts] == [("chat.txt", b"")]
    assert [id_ for _, id_, _ in site.world.deletions] == [video.id]


class TestVersionsThatRiseByTranscoding:
    """They are no person's doing, whenever transcoding ends; what a person replaces afterwards still is."""

    @pytest.fixture
    def site(self, at_portal: AtPortal) -> PortalSite:
        stage = a_stage()
        stage.meeting("rich", "alice", 2, "Rich")
        stage.video("rich", seconds=1)
        stage.video("rich", 1, VIEWS[1], seconds=1)
        stage.texts("rich", seconds=1)
        config = TRASH | {"delete_after": "1d"}
        return at_portal(stage, config=config, transcoding=40 * 3600, version_by_transcoding=True)

    def versions(self, site: PortalSite) -> list[str]:
        receipt = site.entry("rich").receipt
        assert receipt is not None
        return [file.stamp.version for file in receipt.files if file.stamp]

    def test_what_was_published_before_it_was_transcoded_is_deleted_after_that(self, site: PortalSite) -> None:
        first = site.sync()
        published = self.versions(site)
        site.clock.advance(hours=26)
        waits = site.sync()
        site.clock.advance(hours=15)
        deletes = site.sync()

        assert (first.code, waits.code, deletes.code) == (0, 0, 0)
        assert "the portal still transcodes it" in waits.stderr
        assert (waits.counts.get("deleted"), deletes.counts["deleted"]) == (None, 1)
        assert published == ["", ""]
        assert len(site.world.deletions) == 6

    def test_what_comes_late_is_added_though_the_version_rose(self, site: PortalSite) -> None:
        texts = site.world.meetings[site.uuid("rich")].files[2:]
        del site.world.meetings[site.uuid("rich")].files[2:]
        site.configure(delete_recordings="never")
        site.sync()
        site.clock.advance(hours=41)
        site.world.meetings[site.uuid("rich")].files += texts

        added, again = site.sync(), site.sync()
        site.configure(delete_recordings="trash")
        site.clock.advance(hours=26)
        deletes = site.sync()

        main, gallery = site.media("rich")
        assert (added.code, added.counts["updated"], again.counts["up_to_date"]) == (0, 1, 1)
        assert (len(main.captions), len(main.handouts), gallery.handouts) == (1, 3, [])
        assert (deletes.code, deletes.counts["deleted"]) == (0, 1)

    def test_what_a_person_replaces_after_it_was_looked_at_is_still_reported(self, site: PortalSite) -> None:
        site.configure(delete_recordings="never")
        site.sync()
        site.clock.advance(hours=41)
        stage = Stage(site.world)
        stage.file("rich", Text(b"late"), "CHAT", "chat_file", "TXT", at=30, seconds=1)
        looked = site.sync()
        site.clock.advance(hours=1)
        replaced = site.media("rich")[0]
        replaced.version, replaced.updated = replaced.version + 1, site.clock.now()
        site.configure(delete_recordings="trash")
        site.clock.advance(hours=26)

        result = site.sync()

        assert looked.counts["updated"] == 1
        assert (result.code, result.counts["altered"], site.world.deletions) == (1, 1, [])
        assert "was replaced at the portal" in site.reported()["rich"]


def test_a_pass_makes_no_more_users_than_it_may_and_the_next_ones_make_the_others(at_portal: AtPortal) -> None:
    stage = a_stage()
    names = ["alice", "bob", "carol", "dave"]
    for number, host in enumerate(names):
        if host != "alice":
            stage.world.add_user(f"{host.title()} Example")
        stage.meeting(f"{host}0", host, 3 + number, host)
        stage.video(f"{host}0", seconds=1)
        stage.meeting(f"{host}1", host, 3.5 + number, host)
        stage.video(f"{host}1", seconds=1)
    site = at_portal(stage, {"max_new_users": 2}, {"workers": 4})

    first = site.sync()
    made = {one.email for one in site.portal.invitations}
    authors = authors_of(site, names)
    for host in names:
        stage.meeting(f"{host}2", host, -1, host)
        stage.video(f"{host}2", seconds=1)
    site.clock.advance(days=2)
    second = site.sync()

    me = site.portal.email
    late = {f"{host}@example.org" for host in names} - made
    said = [line.partition(" portal: ")[2] for line in first.stderr.splitlines() if "published as" in line]
    assert (first.code, first.counts["published"], second.code, second.counts["published"]) == (0, 8, 0, 4)
    assert (len(made), len(late)) == (2, 2)
    assert authors == {one: {one} for one in made} | {one: {me} for one in late}
    assert sorted(said) == sorted(
        f"{one}: published as {me}: max_new_users (2) is reached in this pass" for one in late
    )
    assert sorted(one.email for one in site.portal.invitations) == sorted(made | late)
    assert authors_of(site, names) == {one: {one} for one in made} | {one: {me, one} for one in late}
    assert "max_new_users" not in second.stderr


def authors_of(site: PortalSite, names: list[str]) -> dict[str, set[str]]:
    """Under whom each host's items are."""
    known = site.world.names
    every = {name: [media for one in known if one[:-1] == name for media in site.media(one)] for name in names}
    return {
        f"{name}@example.org": {site.portal.users[media.author].email for media in found}
        for name, found in every.items()
    }
