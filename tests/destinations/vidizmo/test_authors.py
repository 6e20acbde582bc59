"""Under whom a host's items are published: found, raised, made and invited once, or `me` instead, said once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import an_item
from tests.destinations.vidizmo.portals import ME, Open, Wired, wired
from tests.fakes import FakeClock, a_meeting, a_user
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending, Request, json_answer
from tests.sandbox.portal.faults import lost_request, portal_error
from zoomsync.destinations.vidizmo.authors import case_of
from zoomsync.destinations.vidizmo.settings import VidizmoSettings
from zoomsync.destinations.vidizmo.users import PortalUser
from zoomsync.errors import NotAuthorized, OutcomeUnknown, Unreachable
from zoomsync.model import Author, AuthorSource

ADA = "ada@example.org"
LICENCE = "the portal has no licence left: portal: user_create: HTTP 400, LicenseLimitExceededException"


def a_portal_user(*groups: str, **changes: Any) -> PortalUser:
    plain: dict[str, Any] = {"id": "7", "email": ADA, "is_active": True, "groups": frozenset(groups)}
    return PortalUser(**{**plain, **changes})


def some_settings(**changes: Any) -> VidizmoSettings:
    plain = {"type": "vidizmo", "url": "https://portal.example.org", "email": ME}
    return VidizmoSettings.model_validate({**plain, **changes})


SETTINGS = some_settings()


@pytest.mark.parametrize(
    ("found", "settings", "source", "note"),
    [
        ([], SETTINGS, AuthorSource.NEW, "would be created and invited"),
        (
            [],
            some_settings(create_users=False),
            AuthorSource.FALLBACK,
            "unknown to the portal, and create_users is false",
        ),
        ([a_portal_user("Contributor")], SETTINGS, AuthorSource.PLAIN, "exists"),
        ([a_portal_user("Viewer", "Content Manager")], SETTINGS, AuthorSource.PLAIN, "exists"),
        ([a_portal_user(groups=None)], SETTINGS, AuthorSource.PLAIN, "exists"),
        ([a_portal_user("Viewer", "Physics")], SETTINGS, AuthorSource.RAISED, "Viewer would become Contributor"),
        (
            [a_portal_user("Physics")],
            SETTINGS,
            AuthorSource.FALLBACK,
            "in no group that may upload (destination.groups.uploading)",
        ),
        ([a_portal_user("Contributor", is_active=False)], SETTINGS, AuthorSource.FALLBACK, "disabled in the portal"),
        (
            [a_portal_user("Contributor", is_active=False, has_signed_in=False)],
            SETTINGS,
            AuthorSource.FALLBACK,
            "has not completed the registration",
        ),
        (
            [a_portal_user("Contributor"), a_portal_user("Viewer", id="8")],
            SETTINGS,
            AuthorSource.FALLBACK,
            "2 users of the portal have this e-mail",
        ),
    ],
)
def test_what_the_portals_users_mean(
    found: list[PortalUser], settings: VidizmoSettings, source: AuthorSource, note: str
) -> None:
    case = case_of(found, settings)

    assert (case.source, case.note) == (source, note)


def test_a_user_who_may_upload_is_the_author(begin: Open, tmp_path: Path) -> None:
    site = begin()
    ada = site.portal.add_user("Ada@Example.org", "Contributor")

    site.published(an_item(tmp_path))

    assert site.only.author == ada.id
    assert ada.groups == ["Contributor"]
    assert site.portal.invitations == []


def test_a_viewer_becomes_contributor_and_stays_viewer(
    begin: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = begin()
    ada = site.portal.add_user(ADA, "Viewer")
    caplog.set_level("INFO")

    site.published(an_item(tmp_path))

    assert ada.groups == ["Viewer", "Contributor"]
    assert site.only.author == ada.id
    assert caplog.messages == ["portal: ada@example.org: Contributor added; was in Viewer"]


def test_a_new_user_has_the_zoom_names_and_is_invited_once(begin: Open, tmp_path: Path) -> None:
    site = begin()

    for number in range(3):
        site.later()
        site.published(an_item(tmp_path, a_meeting(uuid=f"uuid{number}==", files=())))

    ada = site.portal.user(ADA)
    assert (ada.first_name, ada.last_name, ada.groups) == ("Ada", "Lovelace", ["Contributor"])
    assert [one.email for one in site.portal.invitations] == [ADA]
    assert {media.author for media in site.portal.media.values()} == {ada.id}


def test_many_workers_make_one_user(begin: Open) -> None:
    site = begin()

    with ThreadPoolExecutor(8) as pool:
        authors = list(pool.map(lambda _: site.destination.author_for(a_user()), range(24)))

    assert len(set(authors)) == 1
    assert [one.email for one in site.portal.invitations] == [ADA]


def test_an_alias_is_the_users_address_at_the_portal(begin: Open) -> None:
    site = begin(config={"aliases": {ADA: "lovelace@example.org"}})

    assert site.destination.author_for(a_user()).email == "lovelace@example.org"
    assert [one.email for one in site.portal.invitations] == ["lovelace@example.org"]


@pytest.mark.parametrize("config", [{"publish_as": "me"}, {"publish_as": "me", "me": ME}])
def test_publish_as_me_is_the_account_that_signs_in(begin: Open, tmp_path: Path, config: dict[str, Any]) -> None:
    site = begin(config=config)

    site.published(an_item(tmp_path))

    assert site.only.author == site.portal.service.id
    assert (len(site.portal.users), site.portal.invitations) == (1, [])


@pytest.mark.parametrize(
    ("settings", "destination", "reason"),
    [
        ({}, {"create_users": False}, "unknown to the portal, and create_users is false"),
        ({}, {"max_new_users": 0}, "max_new_users (0) is reached in this pass"),
        ({"licences": 0}, {}, LICENCE),
        ({"create_users": False}, {}, "portal: user_create: HTTP 400, UserCreationDisabledException"),
        ({"new_users_are_active": False}, {}, "created and invited; has not completed the registration"),
    ],
)
def test_without_a_user_of_its_own_an_item_is_published_as_me_and_that_is_said_once(
    begin: Open,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    settings: dict[str, Any],
    destination: dict[str, Any],
    reason: str,
) -> None:
    site = begin(destination=destination, **settings)

    for number in range(2):
        site.published(an_item(tmp_path, a_meeting(uuid=f"uuid{number}==", files=())))

    reported = [message for message in caplog.messages if message.startswith("portal: ada@example.org: published as")]
    assert {media.author for media in site.portal.media.values()} == {site.portal.service.id}
    assert len(reported) == 1
    assert reason in reported[0]


def test_a_user_there_twice_or_disabled_is_not_the_author(begin: Open) -> None:
    site = begin()
    site.portal.add_user(ADA, "Contributor")
    site.portal.add_user(ADA, "Viewer")
    site.portal.add_user("bob@example.org", "Contributor", active=False)

    authors = [site.destination.author_for(a_user(email=email)) for email in (ADA, "bob@example.org")]

    assert [(one.email, one.source) for one in authors] == [(ME, AuthorSource.FALLBACK)] * 2


def test_when_licences_run_out_nobody_is_asked_for_any_more(begin: Open) -> None:
    site = begin(licences=1)
    site.portal.add_user("viewer@example.org", "Viewer")
    hosts = ("a@example.org", "b@example.org", "c@example.org", "viewer@example.org")

    authors = [site.destination.author_for(a_user(email=email)) for email in hosts]

    assert [one.email for one in authors] == ["a@example.org", ME, ME, ME]
    assert len(site.portal.calls("user_create")) == 2
    assert site.portal.calls("group_add_user") == []


def test_a_pass_creates_no_more_users_than_the_config_allows(begin: Open) -> None:
    site = begin(destination={"max_new_users": 2})
    hosts = [a_user(email=f"{name}@example.org") for name in "abcd"]

    foreseen = [site.destination.prospect(host).source for host in hosts]
    made = [site.later().author_for(host).source for host in hosts[:1]]

    assert foreseen == [AuthorSource.NEW, AuthorSource.NEW, AuthorSource.FALLBACK, AuthorSource.FALLBACK]
    assert made == [AuthorSource.NEW]


def test_what_would_be_done_is_reported_without_doing_it(begin: Open) -> None:
    site = begin()
    site.portal.add_user("viewer@example.org", "Viewer")
    site.portal.forget()

    reported = [site.destination.prospect(a_user(email=email)) for email in (ADA, "viewer@example.org", "")]

    assert [(one.email, one.note) for one in reported] == [
        (ADA, "would be created and invited"),
        ("viewer@example.org", "Viewer would become Contributor"),
        (ME, "falls back to me: it has no e-mail"),
    ]
    assert {one.operation for one in site.portal.requests} == {"user_find"}
    assert site.journal.written == []


def test_an_account_that_may_not_look_up_users_is_not_authorized(begin: Open) -> None:
    with pytest.raises(
        NotAuthorized,
        match=r"portal: user_find: HTTP 403, AccessDeniedException: the account may not manage users \(incident",
    ):
        begin(manages_users=False)


class TestAnAnswerThatNeverCame:
    """A creation whose answer was lost."""

    def lose(self, site: Wired, *, is_done: bool) -> None:
        if is_done:
            site.portal.people.add(ADA, "Contributor", first="Ada", last="Lovelace")
            site.portal.people.invite(site.portal.user(ADA))
            site.portal.user(ADA).email = "hidden@example.org"
        site.portal.fail(operation="user_create", with_=lost_request())
        with suppress(Unreachable):
            site.destination.author_for(a_user())

    def test_the_user_who_was_made_is_taken(self, begin: Open) -> None:
        site = begin()
        self.lose(site, is_done=True)
        site.portal.user("hidden@example.org").email = ADA

        author = site.later().author_for(a_user())

        assert author == Author(id=site.portal.user(ADA).id, email=ADA, note="exists")
        assert len(site.portal.invitations) == 1
        assert site.journal.open_intents() == ()

    def test_one_who_cannot_be_found_yet_is_waited_for_and_then_made(self, begin: Open) -> None:
        site = begin()
        self.lose(site, is_done=False)

        with pytest.raises(OutcomeUnknown, match=r"whether the portal made the user ada@example\.org shows at"):
            site.later().author_for(a_user())
        site.clock.advance(minutes=16)
        author = site.later().author_for(a_user())

        assert author.source is AuthorSource.NEW
        assert [one.email for one in site.portal.invitations] == [ADA]


@pytest.mark.parametrize("days", [0, 3])
def test_one_who_was_made_and_cannot_be_found_is_the_author_all_the_same_and_not_made_again(
    begin: Open, days: int
) -> None:
    site = begin()
    first = site.destination.author_for(a_user())
    (intent,) = {one.id: one for one in site.journal.written}.values()
    site.journal.begin(intent)
    site.portal.user(ADA).email = "not-in-the-index-yet@example.org"
    site.clock.advance(days=days)

    assert site.later().author_for(a_user()).id == first.id
    assert len(site.portal.invitations) == 1


def test_one_who_was_made_cannot_be_found_and_has_not_registered_is_not_the_author(begin: Open) -> None:
    site = begin(new_users_are_active=False)
    site.portal.fail(operation="user_find", with_=hidden(ADA), times=None)

    authors = [site.destination.author_for(a_user()), site.later().author_for(a_user())]

    assert [one.email for one in authors] == [ME, ME]
    assert authors[1].note == "falls back to me: has not completed the registration"
    assert len(site.portal.invitations) == 1


@pytest.mark.parametrize(
    ("group", "is_active", "source"),
    [
        ("Contributor", True, AuthorSource.PLAIN),
        ("Viewer", True, AuthorSource.RAISED),
        ("Contributor", False, AuthorSource.FALLBACK),
    ],
)
def test_whom_somebody_else_made_meanwhile_is_judged_like_anybody(
    begin: Open, group: str, is_active: bool, source: AuthorSource
) -> None:
    site = begin()
    own = site.portal.add_user(ADA, group, active=is_active)
    site.portal.fail(operation="user_find", with_=empty_list())

    author = site.destination.author_for(a_user())

    assert (author.source, author.id == own.id) == (source, is_active)
    assert own.may_upload is (group != "Viewer" or is_active)
    assert site.portal.invitations == []
    assert site.journal.open_intents() == ()


def test_when_an_answer_never_came_the_index_has_its_time_from_then_on(begin: Open) -> None:
    site = begin()

    def lost(_: Request, __: Answer) -> Answer:
        site.clock.advance(seconds=60)
        return Answer(stop_after=-1, ending=Ending.RESET)

    site.portal.fail(operation="user_create", with_=Fault(change=lost))
    with suppress(Unreachable):
        site.destination.author_for(a_user())

    assert [one.at for one in site.journal.open_intents()] == [site.clock.now()]


def hidden(email: str) -> Fault:
    """The search never finds this one."""
    nobody = json_answer({"users": [], "totalCount": 0})
    return Fault(change=lambda request, answer: nobody if email.encode() in request.body else answer)


def empty_list() -> Fault:
    """The search finds nobody."""
    return Fault(instead=lambda _: json_answer({"users": [], "totalCount": 0}))


def test_where_the_invitation_is_a_call_of_its_own_it_is_sent_once(begin: Open) -> None:
    site = begin(destination={"invitation": "call"})

    for _ in range(2):
        site.destination.author_for(a_user())
        site.later()

    assert [one.email for one in site.portal.invitations] == [ADA]


def test_an_invitation_that_the_portal_refuses_is_reported(begin: Open, caplog: pytest.LogCaptureFixture) -> None:
    site = begin(destination={"invitation": "call"})
    site.portal.fail(operation="user_invite", with_=portal_error(400, "MailDisabledException"))

    author = site.destination.author_for(a_user())

    assert author.email == ADA
    assert "created, but not invited: portal: user_invite: HTTP 400, MailDisabledException" in caplog.text


class TestScim:
    """Users by SCIM 2.0."""

    @pytest.fixture
    def site(self, begin: Open) -> Iterator[Wired]:
        site = begin()
        token = site.portal.settings.scim_token
        below = {"users": "scim", "scim_url": f"{site.portal.url}/scim/v2", "scim_token": token}
        site.portal.forget()
        with wired(site.portal, FakeClock(), destination=below) as made:
            yield made

    def test_a_new_user_is_a_contributor_and_invited_once(self, site: Wired, tmp_path: Path) -> None:
        for number in range(2):
            site.published(an_item(tmp_path, a_meeting(uuid=f"uuid{number}==", files=())))
            site.later()

        ada = site.portal.user(ADA)
        assert (ada.first_name, ada.last_name, ada.groups) == ("Ada", "Lovelace", ["Contributor"])
        assert [one.email for one in site.portal.invitations] == [ADA]
        assert {media.author for media in site.portal.media.values()} == {ada.id}
        assert site.portal.calls("user_find") == []

    def test_a_viewer_becomes_contributor(self, site: Wired) -> None:
        ada = site.portal.add_user(ADA, "Viewer")

        author = site.destination.author_for(a_user())

        assert (author.id, ada.groups) == (ada.id, ["Viewer", "Contributor"])

    def test_a_user_made_and_not_yet_raised_is_raised_by_the_next_pass(self, site: Wired) -> None:
        site.portal.fail(operation="scim_group_add_user", with_=lost_request(), times=2)
        with suppress(Unreachable):
            site.destination.author_for(a_user())
        site.portal.heal()

        author = site.later().author_for(a_user())

        assert (author.email, site.portal.user(ADA).groups) == (ADA, ["Contributor"])
        assert len(site.portal.invitations) == 1

    @pytest.mark.parametrize("name", ["LicenseLimitExceededException", "GroupLockedException"])
    def test_one_whom_the_portal_would_not_raise_is_raised_once_it_will(self, site: Wired, name: str) -> None:
        site.portal.fail(operation="scim_group_add_user", with_=portal_error(400, name), times=2)
        emails = [site.destination.author_for(a_user()).email, site.later().author_for(a_user()).email]

        author = site.later().author_for(a_user())

        assert (emails, author.email) == ([ME, ME], ADA)
        assert site.portal.user(ADA).groups == ["Contributor"]
        assert len(site.portal.invitations) == 1
        assert site.journal.open_intents() == ()

    def test_a_wrong_token_is_not_authorized(self, site: Wired) -> None:
        site.portal.settings.scim_token = "another"

        with pytest.raises(NotAuthorized, match="portal: scim: GET Users: HTTP 401, the token is not known") as raised:
            site.destination.author_for(a_user())

        assert raised.value.hint == "check destination.scim_token"

    @pytest.mark.parametrize("settings", [{"licences": 0}, {"create_users": False}])
    def test_who_cannot_be_made_is_me(self, site: Wired, settings: dict[str, Any]) -> None:
        for name, value in settings.items():
            setattr(site.portal.settings, name, value)

        assert site.destination.author_for(a_user()).email == ME
