"""Every error names what failed, and whom or what that concerns."""

import ast
import pickle
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import zoomsync
from tests.fakes import NOW, FakeClock, a_receipt
from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.server import Sandbox
from tests.sandbox.worlds import small_world
from tests.zoom.edge import http_for, tokens_for
from zoomsync.destinations.vidizmo.client import PortalRefused
from zoomsync.errors import (
    AccountListFailed,
    DeletionRefused,
    DiskFull,
    LibraryUnusable,
    ListingFailed,
    MeetingFailed,
    NotAuthorized,
    ServiceUnavailable,
    Subject,
    Unreachable,
    UserFailed,
    ZoomsyncError,
)
from zoomsync.zoom.client import ZoomClient

OF_ONE_SERVICE = {
    "UsageError": "command line",
    "ConfigError": "config",
    "AccountListFailed": "zoom",
    "TimeOver": "zoom",
    "ListTooLong": "zoom",
    "UserFailed": "zoom",
    "PassRunning": "state",
    "ToolMissing": "ffmpeg",
    "DiskFull": "disk",
    "StateUnusable": "state",
    "LibraryUnusable": "library",
    "ClockWrong": "clock",
    "DownloadFailed": "zoom",
    "Unjoinable": "ffmpeg",
    "StillProcessing": "zoom",
    "DeletionRefused": "zoom",
    "UserUnknown": "zoom",
    "PortalRefused": "portal",
    "ColdStorage": "remote",
    "Changed": "remote",
}
OF_ANY_SERVICE = {"Forbidden", "ServiceUnavailable", "NotAuthorized", "Unreachable"}
OF_ANY_DESTINATION = {"OutcomeUnknown", "DestinationUnsupported", "RemovedByPerson", "PartlyStored", "MeetingFailed"}
EDGES = {"http", "files.py", "zoom", "destinations"}
"""Each place in these that raises an error of any service or destination says whose it is."""


def leaves(kind: type[ZoomsyncError] = ZoomsyncError) -> Iterator[type[ZoomsyncError]]:
    below = [one for one in kind.__subclasses__() if one.__module__.startswith("zoomsync.")]
    for one in below:
        yield from leaves(one)
    if not below:
        yield kind


def test_every_leaf_implies_its_service_or_is_one_that_must_be_given_it() -> None:
    found = {kind.__name__: kind.service for kind in leaves()}

    assert {name: service for name, service in found.items() if service} == OF_ONE_SERVICE
    assert {name for name, service in found.items() if not service} <= OF_ANY_DESTINATION | OF_ANY_SERVICE


WITH_MORE: dict[str, dict[str, Any]] = {
    "PartlyStored": {"receipt": a_receipt(), "lacking": {}},
    "PortalRefused": {"status": 404, "name": "ItemNotFoundException"},
    "ConfigError": {"problems": ("zoom: missing",)},
    "DiskFull": {"room": "1 GB free"},
    "OutcomeUnknown": {"until": NOW},
}


@pytest.mark.parametrize("kind", [*leaves()], ids=lambda kind: kind.__name__)
def test_every_error_comes_whole_from_another_process(kind: type[ZoomsyncError]) -> None:
    error = kind("fact", hint="remedy", **WITH_MORE.get(kind.__name__, {}))
    error.service, error.subject = "zoom", Subject("file", "1")

    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again), vars(again)) == (kind, "fact", vars(error))


def test_who_raises_an_error_of_any_service_names_it() -> None:
    package = Path(zoomsync.__file__).parent
    silent = [
        f"{path.relative_to(package)}:{call.lineno}"
        for path in package.rglob("*.py")
        for kinds in [OF_ANY_SERVICE | (OF_ANY_DESTINATION if path.relative_to(package).parts[0] in EDGES else set())]
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in kinds
        if "service" not in {keyword.arg for keyword in call.keywords}
    ]

    assert silent == []


def test_an_error_that_becomes_another_stays_about_the_same() -> None:
    first = MeetingFailed("library: no", hint="look", service="library", subject=Subject("meeting", "u=="))

    other = first.become(LibraryUnusable, "it is lost")

    assert (type(other), str(other), other.hint) == (LibraryUnusable, "it is lost", "look")
    assert (other.service, other.subject) == ("library", Subject("meeting", "u=="))
    assert (str(first.become(DiskFull)), first.become(DiskFull).service) == ("library: no", "library")


def test_a_refusal_of_the_portal_is_the_portals() -> None:
    refused = PortalRefused("portal: no", hint="", status=400, name="")

    assert (refused.service, refused.subject) == ("portal", None)
    assert refused.become(Unreachable).service == "portal"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(small_world(NOW, has_media=False), clock=lambda: NOW) as one:
        yield one


@pytest.fixture
def zoom(sandbox: Sandbox) -> Iterator[ZoomClient]:
    clock = FakeClock()
    http = http_for(sandbox, clock)
    yield ZoomClient(http, tokens_for(sandbox, http, clock), api_url=sandbox.api_url, clock=clock)
    http.close()


SINCE, UNTIL = (NOW - timedelta(days=20)).date(), NOW.date()
EVE, UUID, FILE = "eve@example.org", "u/1==", "f-1"


OWN = None
"""The kind of error that is the subject's own trouble."""


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.page(), ServiceUnavailable),
        (faults.page(404), Unreachable),
        (faults.no_scope(), OWN),
        (faults.bad_token(), OWN),
        (faults.refused(403, 403, "Forbidden"), OWN),
        (faults.no_rights(), OWN),
    ],
    ids=["out of order", "no Zoom there", "no scope", "no good token", "forbidden", "no rights"],
)
@pytest.mark.parametrize(
    ("question", "endpoint", "subject", "own"),
    [
        (lambda zoom: zoom.users("active"), "users", None, NotAuthorized),
        (lambda zoom: zoom.user(EVE), "users/", Subject("user", EVE), UserFailed),
        (lambda zoom: zoom.recordings(SINCE, UNTIL, user=None), "recordings", None, AccountListFailed),
        (lambda zoom: zoom.recordings(SINCE, UNTIL, user=EVE), "recordings", Subject("user", EVE), ListingFailed),
        (lambda zoom: zoom.meeting(UUID), "meetings", Subject("meeting", UUID), MeetingFailed),
        (lambda zoom: zoom.delete_file(UUID, FILE, "trash"), "meetings", Subject("file", FILE), DeletionRefused),
    ],
    ids=["users", "user", "account's list", "user's list", "meeting", "deletion"],
)
def test_whatever_zoom_is_asked_an_error_names_zoom_and_whom_it_concerns(
    sandbox: Sandbox,
    zoom: ZoomClient,
    question: Callable[[ZoomClient], object],
    endpoint: str,
    subject: Subject | None,
    fault: Fault,
    kind: type[ZoomsyncError] | None,
    own: type[ZoomsyncError],
) -> None:
    sandbox.fail(endpoint, with_=fault, times=None)

    with pytest.raises(ZoomsyncError) as caught:
        question(zoom)

    is_no_list = own is AccountListFailed and kind is Unreachable  # the lists of users may be good
    assert isinstance(caught.value, own if kind is OWN or is_no_list else kind)
    assert (caught.value.service, caught.value.subject) == ("zoom", subject)


def test_a_refused_token_concerns_the_credential_whoever_was_asked_about(sandbox: Sandbox, zoom: ZoomClient) -> None:
    sandbox.fail("oauth", with_=faults.oauth_refused())

    with pytest.raises(NotAuthorized) as caught:
        zoom.meeting(UUID)

    assert (caught.value.service, caught.value.subject) == ("zoom", None)
