"""What people do to media at a portal, and what `--meeting` makes of it: nothing of theirs is taken, nothing lost."""

import copy
import shutil

import pytest

from tests.destinations.vidizmo.portals import replace_content
from tests.e2e.conftest import Begin
from tests.e2e.portal_site import TRASH, AtPortal, PortalSite
from tests.e2e.test_portal_asked import a_meeting
from tests.sandbox.faults import lost_answer
from tests.sandbox.portal.faults import portal_error
from tests.sandbox.world import ZoomFile
from zoomsync.model import Phase


def files(site: PortalSite) -> list[ZoomFile]:
    """Those that Zoom has of the meeting."""
    return site.world.meetings[site.uuid("m")].files


def asked(site: PortalSite) -> tuple[int, str]:
    """Code and what was said of `sync --meeting`."""
    result = site.sync("--meeting", site.uuid("m"))
    return result.code, result.stderr


class TestReplaced:
    """Somebody put another video into a media item."""

    @pytest.mark.parametrize("size", ["the same", "another"])
    def test_a_replaced_video_is_not_ours_on_a_persons_wish_either(self, at_portal: AtPortal, size: str) -> None:
        site = at_portal(a_meeting(), {}, TRASH)
        site.sync()
        main, view = site.media("m")
        own = main.sha256
        replace_content(site.portal, main.id, b"x" * (main.size if size == "the same" else 99))

        first, said = asked(site)
        site.clock.advance(days=8)
        site.sync()

        assert (first, site.world.deletions) == (1, [])
        assert f"delete it there, then run `zoomsync sync --meeting {site.uuid('m')}`" in said
        main.deleted = site.clock.now()
        assert asked(site)[0] == 0
        assert {media.sha256 for media in site.media("m")} == {own, view.sha256}

    def test_a_replaced_video_is_not_ours_if_something_else_is_gone_too(self, at_portal: AtPortal) -> None:
        site = at_portal(a_meeting(), {}, TRASH)
        site.sync()
        main, _ = site.media("m")
        replace_content(site.portal, main.id, b"another video")
        main.handouts.clear()

        assert asked(site)[0] == 1

        site.clock.advance(days=8)
        site.sync()
        assert site.world.deletions == []


class TestReassigned:
    """A media says that it is of another meeting."""

    def test_a_late_file_is_not_added_to_it(self, at_portal: AtPortal) -> None:
        stage = a_meeting()
        site = at_portal(stage, {}, TRASH)
        site.sync()
        main, view = site.media("m")
        main.attributes = {**main.attributes, "ZoomMeetingUUID": "another=="}
        captions = len(main.captions)
        stage.video("m", 2, at=60, seconds=1)

        site.sync()

        assert (main.attributes["ZoomMeetingUUID"], len(main.captions)) == ("another==", captions)
        assert (site.entry("m").phase, site.media("m")) == (Phase.REMOVED, [view])
        site.clock.advance(days=8)
        site.sync()
        assert site.world.deletions == []


class TestCopied:
    """The portal copied a media item with all that it says of itself."""

    def test_the_copy_is_left_as_it_is(self, at_portal: AtPortal) -> None:
        site = at_portal(a_meeting())
        site.sync()
        main, view = site.media("m")
        cut = copy.deepcopy(main)
        cut.id, cut.title = "0", "My cut"  # first wherever ids count
        site.portal.media[cut.id] = cut
        before = copy.deepcopy(cut)
        receipt = site.entry("m").receipt

        assert asked(site)[0] == 0

        after = site.entry("m").receipt
        assert (cut.status, cut.attributes) == (before.status, before.attributes)
        assert receipt is not None
        assert after is not None
        assert (after.place, after.files) == (main.id, receipt.files)
        assert view.status == main.status == "Published"


class TestAuthors:
    """An item that is whole keeps its author."""

    def test_nobody_is_made_or_looked_up_for_it(self, at_portal: AtPortal) -> None:
        site = at_portal(a_meeting(), {"create_users": False})
        site.sync()
        site.below = {}
        site.configure()
        site.portal.fail(operation="user_create", with_=portal_error(404, "NotFoundException"), times=None)
        before = set(site.portal.users)

        assert asked(site)[0] == 0

        assert (set(site.portal.users), site.portal.calls("user_create")) == (before, [])


class TestNotMended:
    """What was asked for and could not be made whole again is not forgotten."""

    def test_a_refused_media_is_reported_until_it_is_mended(self, at_portal: AtPortal) -> None:
        site = at_portal(a_meeting(), {}, TRASH)
        site.sync()
        main, _ = site.media("m")
        main.deleted = site.clock.now()
        site.portal.fail(operation="media_create", with_=portal_error(400, "OddException"), times=None)

        assert asked(site)[0] == 1

        site.clock.advance(days=8)
        assert (site.sync().code, site.world.deletions) == (1, [])
        assert site.reported()["m"].startswith("portal: media_create: HTTP 400, OddException")
        assert site.run("status", "--check").code == 1
        site.portal.heal()
        site.clock.advance(days=2)
        assert site.sync().code == 0
        assert (len(site.media("m")), site.reported(), site.entry("m").asked) == (2, {}, "")

    def test_an_answer_that_was_lost_meanwhile_is_found_again(self, at_portal: AtPortal) -> None:
        site = at_portal(a_meeting(), {"index_lag": "15m"}, index_lag=600)
        site.sync()
        main, _ = site.media("m")
        site.clock.advance(hours=1)
        main.deleted = site.clock.now()
        site.clock.advance(hours=1)
        site.portal.fail(operation="media_create", with_=lost_answer(), times=1)

        first, reported = asked(site)[0], site.reported()
        waits = asked(site)
        site.clock.advance(hours=2)

        assert (first, "m" in reported, site.sync().code, site.reported()) == (1, True, 0, {})
        assert (waits[0], "asked for, and not fetched yet: whether the portal made" in waits[1]) == (0, True)
        receipt = site.entry("m").receipt
        assert receipt is not None
        assert {file.place.partition("/")[0] for file in receipt.files} == {media.id for media in site.media("m")}

    def test_a_full_disk_does_not_make_it_forgotten(self, at_portal: AtPortal) -> None:
        site = at_portal(a_meeting(), {}, TRASH)
        site.sync()
        main, _ = site.media("m")
        main.deleted = site.clock.now()
        site.configure(min_free_disk="900TB")

        first = asked(site)[0]
        site.configure(min_free_disk="1MB")
        second = site.sync()

        assert (first, second.code, len(site.media("m"))) == (5, 0, 2)

    def test_a_video_that_zoom_does_not_have_either_stays_in_the_books(self, at_portal: AtPortal) -> None:
        site = at_portal(a_meeting())
        site.sync()
        receipt = site.entry("m").receipt
        main, _ = site.media("m")
        main.deleted = site.clock.now()
        for file in files(site):
            file.deleted = file.extension == "MP4"

        code, said = asked(site)

        assert (code, "and Zoom has nothing left to make it of" in said) == (1, True)
        assert (site.entry("m").receipt, site.entry("m").phase) == (receipt, Phase.REMOVED)

    def test_what_the_config_leaves_out_now_is_no_success(self, at_portal: AtPortal) -> None:
        site = at_portal(a_meeting())
        site.sync()
        site.media("m")[0].status = "Rejected"
        asked(site)
        why = site.entry("m").reason
        site.configure(recordings={"files": ["other"]})

        code, said = asked(site)

        assert (code, site.entry("m").phase, site.entry("m").reason) == (1, Phase.REMOVED, why)
        assert "asked for, and not fetched: " in said

    def test_what_was_rejected_is_not_downloaded_first(self, at_portal: AtPortal) -> None:
        site = at_portal(a_meeting())
        site.sync()
        site.media("m")[0].status = "Rejected"

        assert (asked(site)[0], site.downloads()) == (1, [])


class TestALostAnswer:
    """An answer that never came is not looked for in a media item that is known."""

    @pytest.mark.parametrize("arguments", ["--meeting", "--retry-failed"])
    def test_of_a_late_segment_while_the_first_media_says_nothing(self, at_portal: AtPortal, arguments: str) -> None:
        stage = a_meeting()
        site = at_portal(stage, {"index_lag": "15m"}, index_lag=600)
        site.sync()
        main, _ = site.media("m")
        site.clock.advance(hours=1)
        main.attributes = {**main.attributes, "ZoomsyncReceipt": "cut"}
        stage.video("m", 2, at=120, seconds=1)
        site.portal.fail(operation="media_create", with_=lost_answer(), times=1)
        site.sync()

        for _ in range(3):
            site.sync(*([arguments, site.uuid("m")] if arguments == "--meeting" else [arguments]))
            site.clock.advance(minutes=20)

        assert [media.title for media in site.media("m") if "part 2" in media.title] == [f"{main.title} – part 2"]
        assert site.reported() == {}


class TestRestoredState:
    """A state that knows less than the portal has: a late segment was published after it was copied."""

    @pytest.fixture
    def older(self, at_portal: AtPortal) -> PortalSite:
        """The late segment is a media item of its own, and the state is put back to before."""
        stage = a_meeting()
        site = at_portal(stage, {}, TRASH)
        site.sync()
        site.clock.advance(hours=1)
        shutil.copytree(site.folder / "state", site.folder / "copy")
        stage.video("m", 2, at=120, seconds=1)
        site.clock.advance(hours=1)
        site.sync()
        shutil.rmtree(site.folder / "state")
        shutil.copytree(site.folder / "copy", site.folder / "state")
        return site

    def test_a_late_segment_is_found_also_beside_a_media_item_that_somebody_altered(self, older: PortalSite) -> None:
        main, *others = older.media("m")
        replace_content(older.portal, main.id, b"another video")

        assert (older.sync().code, older.media("m")) == (0, [main, *others])

    def test_a_part_that_was_rejected_meanwhile_is_not_published_again(self, older: PortalSite) -> None:
        *_, part = older.media("m")
        part.status = "Rejected"
        before = older.media("m")

        older.sync()
        older.clock.advance(days=9)
        older.sync()

        assert (older.media("m"), older.entry("m").phase) == (before, Phase.REMOVED)
        assert older.world.deletions == []

    def test_a_media_item_that_was_removed_meanwhile_is_reported(self, older: PortalSite) -> None:
        main, *others = older.media("m")
        main.deleted = older.clock.now()

        older.sync()

        assert (older.media("m"), older.entry("m").phase) == (others, Phase.REMOVED)


class TestDeletedByUs:
    """The cloud copy is in Zoom's trash, and a person removes the item: brought back from there it is fetched again."""

    def test_at_a_portal(self, at_portal: AtPortal) -> None:
        site = at_portal(a_meeting(), {}, TRASH)
        site.sync()
        site.clock.advance(days=8)
        deleted = site.sync().counts["deleted"]
        for media in site.media("m"):
            media.deleted = site.clock.now()
        code, said = asked(site)
        for file in files(site):
            file.trashed, file.deleted = None, False

        again = asked(site)[0]

        assert (deleted, code, again, len(site.media("m"))) == (1, 1, 0, 2)
        assert "look into Zoom's trash" in said
        calls = len(site.world.deletions)
        site.clock.advance(days=30)
        assert site.sync().code == 0
        assert len(site.world.deletions) == calls

    def test_in_a_library(self, begin: Begin) -> None:
        site = begin(a_meeting().world, **TRASH)
        site.sync()
        site.clock.advance(days=8)
        site.sync()
        before = sorted(path.name for path in site.item("m").iterdir())
        shutil.rmtree(site.item("m"))
        for file in site.world.meetings[site.uuid("m")].files:
            file.trashed, file.deleted = None, False

        assert site.sync("--meeting", site.uuid("m")).code == 0
        assert sorted(path.name for path in site.item("m").iterdir()) == before
