"""Who is made is looked at before being believed; what an answer leaves out is asked for; lost mail is reported."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.destinations.contract import Journal
from tests.destinations.vidizmo.portals import ME, Open, Wired, wired
from tests.fakes import FakeClock, a_user
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Request, json_answer
from tests.sandbox.portal.faults import lost_request, portal_error
from tests.sandbox.portal.server import Portal
from zoomsync.errors import ConfigError, MeetingFailed, NotAuthorized, Stopped, Unreachable
from zoomsync.model import AuthorSource, Intent, User

ADA = a_user().email
BOB = "bob@example.org"
NOT_KNOWN = f"portal: {ADA}: created; whether the invitation went out is not known: look, and send it by hand"


def host(email: str) -> User:
    """A host of his own."""
    return a_user(id=email, email=email)


def by_scim(portal: Portal, **below: Any) -> dict[str, Any]:
    """What the config says below `destination` where users are found by SCIM."""
    return {"users": "scim", "scim_url": portal.scim_url, "scim_token": portal.scim_token, **below}


def rewritten(change: Callable[[Any], Any]) -> Fault:
    """The JSON of an answer is another one."""

    def again(_: Request, answer: Answer) -> Answer:
        return json_answer(change(json.loads(answer.content.read(0, answer.content.size))), status=answer.status)

    return Fault(change=again)


def only(email: str, answer: Answer) -> Fault:
    """This answer where an address is asked for, and the portal's own for all others."""
    return Fault(
        change=lambda request, own: (
            answer if email in f"{request.body.decode()} {request.query.get('filter', '')}" else own
        )
    )


class Mortal(Journal):
    """Ends the pass as soon as a line with this detail is written."""

    def __init__(self, clock: FakeClock, detail: str) -> None:
        super().__init__()
        self._clock = clock
        self._detail = detail

    def begin(self, intent: Intent) -> None:
        """As its base."""
        super().begin(intent)
        if self._detail in intent.details:
            self._clock.stop()


class TestAnInvitationThatIsACallOfItsOwn:
    """It goes out once at most; if that is not known, it is reported."""

    def test_a_lost_answer_is_reported_and_who_is_new_publishes(
        self, begin: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        site = begin(destination={"invitation": "call"})
        site.portal.fail(operation="user_invite", with_=lost_request())

        authors = [site.destination.author_for(a_user()), site.later().author_for(a_user())]

        reported = [message for message in caplog.messages if "invitation" in message]
        assert [one.email for one in authors] == [ADA, ADA]
        assert [one.partition(" (")[0] for one in reported] == [NOT_KNOWN]
        assert len(site.portal.calls("user_invite")) == 1
        assert site.journal.open_intents() == ()

    @pytest.mark.parametrize("is_shown", [True, False])
    def test_killed_before_the_call_it_is_reported_once_and_not_sent(
        self, begin: Open, caplog: pytest.LogCaptureFixture, is_shown: bool
    ) -> None:
        portal, clock = begin().portal, FakeClock()
        below = {"invitation": "call"}
        site = Wired(portal, clock, Mortal(clock, "inviting"), destination=below)
        with pytest.raises(Stopped):
            site.destination.author_for(a_user())
        site.destination.detach()
        if not is_shown:
            portal.fail(operation="user_find", with_=only(ADA, json_answer({"users": []})), times=None)

        with wired(portal, FakeClock(), journal=site.journal, destination=below) as again:
            authors = [again.destination.author_for(a_user()), again.later().author_for(a_user())]

        assert [message for message in caplog.messages if "invitation" in message] == [NOT_KNOWN]
        assert [one.id for one in authors] == [portal.user(ADA).id] * 2
        assert (portal.invitations, portal.calls("user_invite")) == ([], [])
        assert (site.journal.open_intents() == ()) is is_shown


class TestACreationThatAnswersTheIdAlone:
    """What the look-up afterwards shows is what counts."""

    def test_who_came_into_no_group_is_put_into_one(self, begin: Open) -> None:
        body = {"emailAddress": "{email}", "firstName": "{first_name}", "lastName": "{last_name}"}
        site = begin(destination={"endpoints": {"user_create": {"body": body}}})
        site.portal.fail(operation="user_create", with_=rewritten(lambda made: {"id": made["id"]}))

        author = site.destination.author_for(a_user())

        ada = site.portal.user(ADA)
        assert (author.id, author.source, ada.groups) == (ada.id, AuthorSource.NEW, ["Contributor"])
        assert site.journal.open_intents() == ()

    def test_who_is_inactive_is_not_the_author(self, begin: Open) -> None:
        site = begin(new_users_are_active=False)
        site.portal.fail(operation="user_create", with_=rewritten(lambda made: {"id": made["id"]}))

        authors = [site.destination.author_for(a_user()), site.later().author_for(a_user())]

        assert [(one.email, one.note.rpartition("; ")[2].rpartition(": ")[2]) for one in authors] == [
            (ME, "has not completed the registration")
        ] * 2


class TestGroupsThatScimNamesByIdAlone:
    """RFC 7643, 4.1.2: `display` is not required."""

    @staticmethod
    def stripped(found: Any) -> Any:
        for one in found["Resources"]:
            one["groups"] = [{"value": group["value"]} for group in one.get("groups", [])]
        return found

    @pytest.mark.parametrize(
        ("group", "source"), [("Contributor", AuthorSource.PLAIN), ("Viewer", AuthorSource.RAISED)]
    )
    def test_their_names_are_asked_for(self, begin: Open, group: str, source: AuthorSource) -> None:
        portal = begin().portal
        ada = portal.add_user(ADA, group)
        portal.fail(operation="scim_user_find", with_=rewritten(self.stripped), times=None)

        with wired(portal, FakeClock(), destination=by_scim(portal)) as site:
            author = site.destination.author_for(a_user())

        assert (author.id, author.source, "Contributor" in ada.groups) == (ada.id, source, True)

    def test_where_they_have_no_names_the_groups_are_not_known(
        self, begin: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        portal = begin().portal
        ada = portal.add_user(ADA, "Viewer")
        nameless = rewritten(lambda found: {**found, "Resources": [{"id": "0", "displayName": "Others"}]})
        portal.fail(operation="scim_user_find", with_=rewritten(self.stripped), times=None)
        portal.fail(operation="scim_group_list", with_=nameless)

        with wired(portal, FakeClock(), destination=by_scim(portal)) as site:
            author = site.destination.author_for(a_user())

        assert (author.id, author.source, ada.groups) == (ada.id, AuthorSource.PLAIN, ["Viewer"])
        assert "does not say in which groups users are" in caplog.text


@pytest.mark.parametrize(
    ("detail", "authors"),
    [
        ("licensing@example.org: not allowed", [ME, "b@example.org", "c@example.org"]),
        ("no licence is left for licensing@example.org", [ME, ME, ME]),
    ],
)
def test_only_a_refusal_for_want_of_licences_holds_for_everybody(begin: Open, detail: str, authors: list[str]) -> None:
    portal = begin().portal
    refused = json_answer({"status": "400", "scimType": "invalidValue", "detail": detail}, status=400)
    portal.fail(operation="scim_user_create", with_=Fault(instead=lambda _: refused))

    with wired(portal, FakeClock(), destination=by_scim(portal)) as site:
        found = [
            site.destination.author_for(host(email)).email
            for email in ("licensing@example.org", "b@example.org", "c@example.org")
        ]

    assert found == authors


@pytest.mark.parametrize("word", ["false", "False", "Disabled", 0])
def test_inactive_is_said_by_flags_numbers_and_words(begin: Open, word: Any) -> None:
    site = begin()
    site.portal.add_user(ADA, "Contributor", active=False)

    def said(found: Any) -> Any:
        for one in found["users"]:
            one["isActive"] = word if one["emailAddress"] == ADA else one["isActive"]
        return found

    site.portal.fail(operation="user_find", with_=rewritten(said), times=None)

    author = site.destination.author_for(a_user())

    assert (author.email, author.note) == (ME, "falls back to me: disabled in the portal")


@pytest.mark.parametrize(("group", "active"), [("Contributor", False), ("Viewer", True)])
@pytest.mark.parametrize("publish_as", ["me", "zoom_user"])
def test_me_who_cannot_publish_stops_the_pass_before_it_begins(
    begin: Open, group: str, active: bool, publish_as: str
) -> None:
    site = begin()
    site.portal.add_user("boss@example.org", group, active=active)

    with pytest.raises(ConfigError, match=r"^me: boss@example\.org is disabled, or may not upload$"):
        Wired(site.portal, site.clock, me="boss@example.org", publish_as=publish_as)


def test_a_host_without_an_address_is_reported_once_a_pass(begin: Open, caplog: pytest.LogCaptureFixture) -> None:
    site = begin()
    reported = "portal: host u9: published as service@example.org: it has no e-mail"

    authors = [site.destination.author_for(User(id="u9", email="")) for _ in range(3)]

    assert {(one.email, one.note) for one in authors} == {(ME, "falls back to me: it has no e-mail")}
    assert caplog.messages == [reported]
    site.later().author_for(User(id="u9", email=""))
    assert caplog.messages == [reported] * 2


@pytest.mark.parametrize("status", [400, 403])
def test_a_refused_creation_uses_up_no_new_user(begin: Open, status: int) -> None:
    site = begin(destination={"max_new_users": 1})
    site.portal.fail(operation="user_create", with_=portal_error(status, "BadAddressException"))

    authors = [site.destination.author_for(host(email)) for email in ("a@example.org", BOB, "c@example.org")]

    assert [one.email for one in authors] == [ME, BOB, ME]
    assert authors[2].note == "falls back to me: max_new_users (1) is reached in this pass"


def test_one_who_was_made_and_is_not_shown_yet_is_foreseen_as_made(begin: Open) -> None:
    site = begin()
    site.portal.fail(operation="user_find", with_=only(ADA, json_answer({"users": []})), times=None)
    made = site.destination.author_for(a_user())

    seen = site.later().prospect(a_user())

    assert (seen.id, seen.email, seen.source) == (made.id, ADA, AuthorSource.PLAIN)
    assert seen.note == "created already, and not shown by the portal's search yet"


class TestALookUpThatFailsOverOneAddress:
    """It is about that host alone, and asked for once."""

    @pytest.mark.parametrize("status", [403, 401, 500])
    def test_a_look_up_that_fails_is_a_failure_of_the_meeting(self, begin: Open, status: int) -> None:
        site = begin()
        site.portal.forget()
        site.portal.fail(
            operation="user_find", with_=only(BOB, json_answer({"name": "Odd"}, status=status)), times=None
        )

        for _ in range(3):
            with pytest.raises(MeetingFailed, match=f"HTTP {status}, Odd.*, asked for {BOB}"):
                site.destination.author_for(host(BOB))

        asked = [one.document["keyword"] for one in site.portal.calls("user_find")]
        assert (len(set(asked)), asked.count(BOB)) == (2, 1 if status == 403 else 2)
        assert site.destination.author_for(a_user()).email == ADA

    @pytest.mark.parametrize("status", [403, 500])
    def test_if_the_look_up_of_who_signs_in_fails_too_the_portal_is_to_blame(self, begin: Open, status: int) -> None:
        site = begin()
        site.portal.fail(operation="user_find", with_=portal_error(status), times=None)

        with pytest.raises(NotAuthorized if status == 403 else Unreachable):
            site.destination.author_for(host(BOB))

    def test_by_scim_likewise(self, begin: Open) -> None:
        portal = begin().portal
        portal.fail(operation="scim_user_find", with_=only(BOB, json_answer({"detail": "odd"}, status=500)), times=None)

        with wired(portal, FakeClock(), destination=by_scim(portal)) as site:
            with pytest.raises(MeetingFailed, match=f"HTTP 500, odd.*, asked for {BOB}"):
                site.destination.author_for(host(BOB))
            assert site.destination.author_for(a_user()).email == ADA


@pytest.mark.parametrize("status", [301, 302, 307, 404, 405, 415])
def test_what_answers_a_sign_in_like_no_portal_is_no_wrong_password(begin: Open, status: int) -> None:
    site = begin()
    headers = {"Location": "https://elsewhere.example.org/login"} if status < 400 else None
    site.portal.fail(operation="sign_in", with_=portal_error(status, "Odd", headers))

    with pytest.raises(Unreachable, match=f"no sign-in there: HTTP {status}") as raised:
        site.later()

    assert (raised.value.code, raised.value.hint) == (6, "check destination.url, to which /api/v1/ is added")
