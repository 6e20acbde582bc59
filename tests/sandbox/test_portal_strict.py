"""The stand-in portal: what it refuses or hides since the facts say so, or since a portal might."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes import FakeClock
from tests.sandbox.portal.client import ATTRIBUTE, WRONG, Client, portal_with, refusal
from tests.sandbox.portal.search import PARTS
from tests.sandbox.portal.server import Portal
from tests.sandbox.portal.variants import VARIANTS, combined

PRESET = (400, "DefaultPublishSettingsException")


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    with Portal(**getattr(request, "param", {})) as portal, Client(portal) as one:
        yield one


def titles(client: Client, keyword: str = "", **changed: Any) -> list[str]:
    return [one["title"] for one in client.search(keyword, **changed).json()["mashups"]]


@pytest.mark.parametrize(("is_global", "expected"), [(True, ["of a host", "own"]), (False, ["own"]), (None, ["own"])])
def test_a_search_that_is_not_global_shows_the_accounts_own_media(
    client: Client, is_global: bool | None, expected: list[str]
) -> None:
    host = client.portal.add_user("ann@example.org", "Contributor")
    client.create(title="own")
    client.create(title="of a host", author={"id": int(host.id)})

    assert titles(client, isGlobal=is_global) == expected


def test_a_search_knows_the_parts_that_it_can_look_into(client: Client) -> None:
    known = [client.search(mashupSearchParts=[one]).status_code for one in PARTS]
    unknown = [client.search(mashupSearchParts=[one]) for one in ("customAttributes", "Attributes", "", 1)]

    assert known == [200] * len(PARTS)
    assert [refusal(one) for one in unknown] == [WRONG] * 4


@pytest.mark.parametrize(
    ("keyword", "count"),
    [("Straße 7", 1), ("a.b@c-d_e", 1), ("zoom", 1), ("/uuid==", 0), ("x+y", 0), ('"zoom"', 0), ("zoom*", 0), ("", 1)],
)
def test_a_plain_search_finds_nothing_for_a_keyword_with_a_sign(client: Client, keyword: str, count: int) -> None:
    client.portal.settings.keyword = "plain"
    client.create(uuid="/uuid==", title='Straße 7 a.b@c-d_e x+y "zoom" zoom*')

    assert len(titles(client, keyword)) == count


@portal_with(keyword="refusing")
def test_a_search_can_refuse_a_keyword_with_a_sign(client: Client) -> None:
    client.create(uuid="/uuid==", tags=[{"name": "zoom12"}])

    assert refusal(client.search("/uuid==")) == (400, "InvalidSearchException")
    assert titles(client, "zoom12") == ["A meeting"]


@pytest.mark.parametrize(
    ("shows", "expected"),
    [("full", [{"fieldName": ATTRIBUTE, "value": "u"}]), ("empty", []), ("none", None)],
)
def test_a_search_can_keep_attributes_to_itself(client: Client, shows: Any, expected: Any) -> None:
    client.portal.settings.search_attributes = shows
    own = client.create(uuid="u").json()["id"]
    (entry,) = client.search("u").json()["mashups"]

    assert entry.get("customAttributes") == expected
    assert client.ask("GET", f"mashup/{own}").json()["customAttributes"] == [{"fieldName": ATTRIBUTE, "value": "u"}]


def test_a_state_that_nobody_can_ask_for_is_listed_and_shown(client: Client) -> None:
    own = str(client.create().json()["id"])
    client.portal.media[own].status = "Archived"

    assert [one["status"] for one in client.search("", "Drafted").json()["mashups"]] == ["Archived"]
    assert client.ask("GET", f"mashup/{own}").json()["status"] == "Archived"
    assert refusal(client.search("", "Archived")) == WRONG


@portal_with(approval=0)
def test_what_was_approved_is_found_as_published(client: Client) -> None:
    client.create(status="PendingForApproval")

    counts = [client.search("", status).json()["totalCount"] for status in ("PendingForApproval", "Published")]

    assert counts == [0, 1]


@pytest.mark.parametrize("type_", ["Number", "text", "", 1])
def test_texts_are_the_only_type_of_attribute(client: Client, type_: object) -> None:
    assert refusal(client.attribute(fieldTypeId=type_)) == WRONG


@portal_with(attribute_length=4)
def test_an_attribute_that_is_too_long_is_refused_and_nothing_made(client: Client) -> None:
    assert refusal(client.create(uuid="12345")) == WRONG
    assert client.portal.media == {}
    assert client.create(uuid="1234").status_code == 201


@portal_with(attribute_length=4, attribute_cut=True)
def test_an_attribute_that_is_too_long_can_be_cut_silently(client: Client) -> None:
    made = client.create(uuid="12345").json()
    attributes = {"customAttributes": [{"fieldName": ATTRIBUTE, "value": "abcde"}]}
    changed = client.ask("PUT", f"mashup/{made['id']}?parts=CustomAttributes", json=attributes).json()

    assert [one["customAttributes"][0]["value"] for one in (made, changed)] == ["1234", "abcd"]


def test_the_version_can_go_up_once_when_transcoding_ends() -> None:
    clock = FakeClock()
    with Portal(clock=clock.now, transcoding=60, version_by_transcoding=True) as portal, Client(portal) as client:
        own = client.create().json()["id"]
        seen = []
        for seconds in (0, 59, 1, 3600):
            clock.advance(seconds)
            seen.append(client.ask("GET", f"mashup/{own}").json())
        changed = client.ask("PUT", f"mashup/{own}?parts=Title", json={"title": "New"}).json()

    first, second = seen[0]["updatedDate"], seen[2]["updatedDate"]
    assert [(one["version"], one["updatedDate"]) for one in seen] == [(1, first), (1, first), (2, second), (2, second)]
    assert (changed["version"], first < second < changed["updatedDate"]) == (3, True)


@pytest.mark.parametrize("never", [None, float("inf")])
def test_transcoding_may_never_end(never: float | None) -> None:
    clock = FakeClock()
    with Portal(clock=clock.now, transcoding=never, version_by_transcoding=True) as portal, Client(portal) as client:
        own = client.create().json()["id"]
        clock.advance(hours=23)
        media = client.ask("GET", f"mashup/{own}").json()

    assert (media["isProcessed"], media["version"], media["estimatedDuration"]) == (False, 1, 0)


def test_captions_belong_to_what_can_be_played(client: Client) -> None:
    content = client.upload(b"{}", "timeline.json")
    document = client.create(content=content, format="Document").json()["id"]

    assert refusal(client.caption(document)) == (400, "InvalidCaptionException")
    assert client.handout(document).status_code == 201


NESTED: list[tuple[dict[str, Any], str]] = [
    ({"author": {"id": 1001, "viewingAccess": "Public"}}, "author.viewingAccess"),
    ({"settings": {"player": {"allowDownload": True}}}, "settings.player.allowDownload"),
    ({"tags": [{"name": "a"}, {"name": "b", "isShared": True}]}, "tags.1.isShared"),
    (
        {"customAttributes": [{"fieldName": "a", "value": "b", "enableComments": 1}]},
        "customAttributes.0.enableComments",
    ),
    ({"viewing_access": {"id": 1}}, "viewing_access"),
]


@pytest.mark.parametrize("changed", [one for one, _ in NESTED], ids=[path for _, path in NESTED])
def test_a_publish_setting_is_refused_at_any_depth(client: Client, changed: dict[str, Any]) -> None:
    assert refusal(client.create(**changed)) == PRESET
    assert client.portal.media == {}


@portal_with(overriding="flag", admin_fields=frozenset({"isShared"}))
def test_a_publish_setting_is_flagged_at_any_depth_unless_the_admin_set_it(client: Client) -> None:
    content = client.upload() | {"allowDownload": True}
    made = client.create(content=content, tags=[{"name": "b", "isShared": True}]).json()
    tags = {"tags": [{"name": "c", "comments": "off"}]}
    changed = client.ask("PUT", f"mashup/{made['id']}?parts=Tags", json=tags).json()

    assert client.portal.overridden == [
        (str(made["id"]), "content.allowDownload"),
        (str(made["id"]), "tags.0.comments"),
    ]
    assert [[tag["name"] for tag in one["tags"]] for one in (made, changed)] == [["b"], ["c"]]


def test_values_may_speak_of_sharing(client: Client) -> None:
    client.attribute("share")
    made = client.create(title="Share your comments", customAttributes=[{"fieldName": "share", "value": "download"}])

    assert made.status_code == 201


@portal_with(echoes_secrets=True)
def test_an_error_can_say_back_what_it_was_told(client: Client) -> None:
    refused = client.sign_in(password='a "wrong" one').json()
    stale = client.ask("GET", "group", headers={"Authorization": "Bearer made.up"}).json()

    assert {"message": 'wrong: a "wrong" one'} in refused["exceptionDetails"]
    assert '"password": "a \\"wrong\\" one"' in refused["message"]
    assert stale["message"].endswith("made.up")
    assert stale["exceptionDetails"] == [{"message": "wrong: made.up"}]


def test_portals_that_differ_in_several_ways_can_be_played() -> None:
    both = combined("lists elsewhere", "operations elsewhere", "whole addresses")

    assert both.settings == {
        **VARIANTS["lists elsewhere"].settings,
        **VARIANTS["operations elsewhere"].settings,
        "finds_in_names": False,
    }
    assert both.destination["endpoints"]["user_find"] == {
        "answer": {"found": "data.people", "total": "data.totalCount"},
        "path": "people/find",
    }
    with pytest.raises(AssertionError):
        combined("a search for words", "a search that chokes on signs")
