"""The stand-in portal: media, search and custom attributes."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes import FakeClock
from tests.sandbox.portal.client import ATTRIBUTE, WRONG, Client, portal_with, refusal
from tests.sandbox.portal.server import Portal
from tests.sandbox.portal.variants import VARIANTS

STATES = ["Drafted", "PendingForApproval", "Published"]


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    with Portal(**getattr(request, "param", {})) as portal, Client(portal) as one:
        yield one


def test_a_media_is_what_was_sent_and_its_bytes_are_kept(client: Client) -> None:
    author = client.portal.add_user("ann@example.org", "Contributor", first="Ann", last="Lee")
    category = client.portal.add_category("Meetings")
    sent = {"author": {"id": int(author.id)}, "category": {"id": int(category)}, "tags": [{"name": "zoom"}]}
    made = client.create(b"the video", "uuid==", title="T", description="<p>D</p>", **sent).json()
    (media,) = client.portal.tagged(ATTRIBUTE, "uuid==")

    assert client.ask("GET", f"mashup/{made['id']}").json() == made
    assert {key: made[key] for key in ("title", "description", "status", "format", "size", "isProcessed")} == {
        "title": "T", "description": "<p>D</p>", "status": "Published", "format": "Video", "size": 9,
        "isProcessed": True,
    }  # fmt: skip
    assert made["author"]["emailAddress"] == "ann@example.org"
    assert made["category"] == {"id": int(category), "name": "Meetings"}
    assert [one["name"] for one in made["tags"]] == ["zoom"]
    assert made["customAttributes"] == [{"fieldName": ATTRIBUTE, "value": "uuid=="}]
    assert (media.content, media.sha256) == (b"the video", hashlib.sha256(b"the video").hexdigest())


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"status": "Purged"}, WRONG),
        ({"format": "Audio"}, WRONG),
        ({"title": ""}, WRONG),
        ({"visibility": "all"}, WRONG),
        ({"author": {"id": 99}}, (400, "UserNotFoundException")),
        ({"author": "service@example.org"}, WRONG),
        ({"category": {"id": 99}}, (400, "CategoryNotFoundException")),
        ({"customAttributes": [{"fieldName": "Unknown", "value": "x"}]}, (400, "CustomAttributeNotFoundException")),
        ({"content": {"fileGuid": "g", "fileName": "a.mp4", "size": 1}}, (400, "BlobNotFoundException")),
        ({"defaultViewingAccess": "Public"}, (400, "DefaultPublishSettingsException")),
        ({"allowDownload": True}, (400, "DefaultPublishSettingsException")),
    ],
)
def test_a_wrong_media_is_refused_whole(client: Client, changed: dict[str, Any], expected: tuple[int, str]) -> None:
    assert refusal(client.create(**changed)) == expected
    assert client.portal.media == {}


def test_content_must_have_the_committed_size(client: Client) -> None:
    assert refusal(client.create(content=client.upload() | {"size": 4})) == WRONG


@portal_with(overriding="flag", admin_fields=frozenset({"allowDownload"}))
def test_publish_settings_that_the_admin_did_not_set_can_be_flagged(client: Client) -> None:
    made = client.create(allowDownload=True, enableComments=False).json()

    assert client.portal.overridden == [(str(made["id"]), "enableComments")]


@pytest.mark.parametrize(
    ("service", "sent", "status"),
    [
        ("Contributor", "Published", "PendingForApproval"),
        ("Contributor", "Drafted", "Drafted"),
        ("Content Manager", "Published", "Published"),
        ("Content Manager", "PendingForApproval", "PendingForApproval"),
    ],
)
def test_moderation_judges_contributors_alone(service: str, sent: str, status: str) -> None:
    with Portal(moderation=True, service_group=service) as portal, Client(portal) as client:
        assert client.create(status=sent).json()["status"] == status


def test_an_author_must_be_active_and_allowed_to_upload(client: Client) -> None:
    viewer = client.portal.add_user("viewer@example.org", "Viewer")
    gone = client.portal.add_user("gone@example.org", "Contributor", active=False)
    answers = [client.create(author={"id": one.id}) for one in (viewer, gone)]

    assert [refusal(one) for one in answers] == [(403, "AccessDeniedException"), (400, "UserNotFoundException")]


def test_an_update_replaces_the_parts_that_it_names(client: Client) -> None:
    own = f"mashup/{client.create(uuid='u').json()['id']}"
    changed = client.ask("PUT", own, params={"parts": "Title,Tags"}, json={"title": "New", "tags": [{"name": "x"}]})
    unnamed = client.ask("PUT", own, params={"parts": "Title"}, json={"title": "N", "tags": []})
    content = client.ask("PUT", own, params={"parts": "Content"}, json={"content": client.upload()})

    assert (changed.json()["title"], changed.json()["version"]) == ("New", 2)
    assert changed.json()["customAttributes"] == [{"fieldName": ATTRIBUTE, "value": "u"}]
    assert [refusal(unnamed), refusal(content)] == [WRONG, WRONG]


def test_transcoding_takes_its_time() -> None:
    clock = FakeClock()
    with Portal(clock=clock.now, transcoding=60, captions_wait=True) as portal, Client(portal) as client:
        made = client.create().json()
        refused = client.caption(made["id"])
        clock.advance(60)
        now = client.ask("GET", f"mashup/{made['id']}").json()["isProcessed"]

    assert refusal(refused) == (409, "MashupNotProcessedException")
    assert (made["isProcessed"], now) == (False, True)


def test_captions_are_webvtt_and_handouts_anything(client: Client) -> None:
    own = client.create().json()["id"]
    bad = [client.caption(own, b"1\n00:00"), client.caption(own, culture="English"), client.caption(99)]
    good = [client.caption(own), client.handout(own)]
    whole = client.ask("GET", f"mashup/{own}").json()

    assert [refusal(one)[1] for one in bad] == [
        "InvalidCaptionException", "InvalidRequestException", "MashupNotFoundException",
    ]  # fmt: skip
    assert [one.status_code for one in good] == [201, 201]
    assert whole["captions"] == [{"culture": "en-US", "fileName": "captions.vtt"}]
    assert whole["handouts"] == [{"fileName": "chat.txt", "size": 4}]


@pytest.mark.parametrize(("replace", "expected"), [(False, [b"WEBVTT 1", b"WEBVTT 2"]), (True, [b"WEBVTT 2"])])
def test_a_second_caption_of_a_culture_is_added_or_replaces(
    client: Client, replace: bool, expected: list[bytes]
) -> None:
    client.portal.settings.captions_replace = replace
    own = client.create().json()["id"]
    for text in (b"WEBVTT 1", b"WEBVTT 2"):
        client.caption(own, text)

    assert [one.blob.data for one in client.portal.media[str(own)].captions] == expected


def test_media_can_be_purged_rejected_missing_or_of_another_size(client: Client) -> None:
    own = str(client.create(b"video").json()["id"])
    media = client.portal.media[own]
    media.status, media.shown_size = "Rejected", 4
    rejected = client.ask("GET", f"mashup/{own}").json()
    media.status, media.shown_size, client.portal.settings.size_error = "Purged", None, 2
    purged = client.ask("GET", f"mashup/{own}").json()
    client.portal.settings.purged_is_missing = True
    missing = client.ask("GET", f"mashup/{own}")

    assert [(one["status"], one["size"]) for one in (rejected, purged)] == [("Rejected", 4), ("Purged", 7)]
    assert refusal(missing) == (404, "MashupNotFoundException")


def test_a_search_lists_only_the_states_that_it_names(client: Client) -> None:
    for status in STATES:
        client.create(status=status, title=status)

    def found(*states: str) -> list[str]:
        return [one["title"] for one in client.search("", *states).json()["mashups"]]

    assert [found("Drafted"), found("Published"), found(*STATES)] == [["Drafted"], ["Published"], STATES[::-1]]
    assert [one["title"] for one in client.search(status=None).json()["mashups"]] == ["Published"]


def test_a_search_looks_only_into_the_parts_that_are_listed(client: Client) -> None:
    client.create(uuid="/aB+c//==")
    client.create()
    with_it, without = client.search("/ab+C//=="), client.search("/aB+c//==", mashupSearchParts=[])

    assert [one["customAttributes"] for one in with_it.json()["mashups"]] == [
        [{"fieldName": ATTRIBUTE, "value": "/aB+c//=="}]
    ]
    assert without.json()["totalCount"] == 0


@pytest.mark.parametrize(("keyword", "count"), [("substring", 1), ("words", 2), ("ignored", 3)])
def test_a_search_can_find_more_than_was_meant(client: Client, keyword: Any, count: int) -> None:
    client.portal.settings.keyword = keyword
    for uuid in ("one/two==", "one/three==", "four"):
        client.create(uuid=uuid)

    assert client.search("one/two==").json()["totalCount"] == count


@pytest.mark.parametrize(
    ("paging", "asked", "titles"),
    [
        ("pages", {"pageIndex": 1}, ["1", "0"]),
        ("items", {"pageIndex": 1}, ["2", "1"]),
        ("offset", {"pageIndex": None, "offset": 1}, ["2", "1"]),
    ],
)
def test_a_place_counts_pages_or_items(client: Client, paging: Any, asked: dict[str, Any], titles: list[str]) -> None:
    client.portal.settings.paging = paging
    for number in range(4):
        client.create(title=str(number))
    answer = client.search(pageSize=2, **asked).json()

    assert ([one["title"] for one in answer["mashups"]], answer["totalCount"]) == (titles, 4)


@pytest.mark.parametrize(
    "changed",
    [{"pageIndex": "0"}, {"status": ["Draft"]}, {"mashupSearchParts": "Tags"}, {"sort": "newest"}, {"isGlobal": 1},
     {"pageSize": None}],
)  # fmt: skip
def test_a_wrong_search_is_refused(client: Client, changed: dict[str, Any]) -> None:
    assert refusal(client.search(**changed)) == WRONG


def test_a_list_lies_where_the_portal_puts_it(client: Client) -> None:
    client.create()
    client.portal.settings.search_envelope = "data.items"
    nested = client.search().json()["data"]
    client.portal.settings.search_envelope = ""

    assert (len(nested["items"]), nested["totalCount"]) == (1, 1)
    assert client.search().json() == nested["items"]


@pytest.mark.parametrize(("ids", "kinds"), [("numbers", (int, int)), ("strings", (str, str)), ("mixed", (str, int))])
def test_ids_are_numbers_or_strings(client: Client, ids: Any, kinds: tuple[type, type]) -> None:
    client.portal.settings.ids = ids
    made = client.create().json()

    assert (type(made["id"]), type(made["author"]["id"])) == kinds
    assert type(client.group("Viewer")) is kinds[1]


def test_the_index_lags_behind_what_is_made_and_what_is_deleted() -> None:
    clock = FakeClock()
    with Portal(clock=clock.now, index_lag=900) as portal, Client(portal) as client:
        own = client.create().json()["id"]
        counts = [client.search().json()["totalCount"]]
        clock.advance(900)
        counts.append(client.search().json()["totalCount"])
        client.ask("DELETE", f"mashup/{own}")
        counts.append(client.search().json()["totalCount"])
        clock.advance(900)
        counts.append(client.search().json()["totalCount"])

    assert counts == [0, 1, 1, 0]


def test_an_attribute_is_made_once_with_booleans_as_strings(client: Client) -> None:
    wrong, made, again = client.attribute(searchable=True), client.attribute(), client.attribute()

    assert [refusal(wrong), refusal(again)] == [WRONG, (409, "CustomAttributeAlreadyExistsException")]
    assert (made.status_code, client.ask("GET", "custom-attributes").json()) == (201, made.json())
    assert [one["fieldName"] for one in made.json()] == [ATTRIBUTE]


def test_an_attribute_that_is_not_searchable_is_not_found(client: Client) -> None:
    client.attribute(searchable="false")
    client.create(uuid="uuid==")

    assert client.search("uuid==").json()["totalCount"] == 0


@portal_with(paths={"media_get": ("GET", "media/{id}")})
def test_an_operation_can_be_elsewhere(client: Client) -> None:
    own = client.create().json()["id"]

    assert client.ask("GET", f"media/{own}").json()["id"] == own
    assert refusal(client.ask("GET", f"mashup/{own}")) == (404, "ResourceNotFoundException")


@pytest.mark.parametrize("name", VARIANTS)
def test_in_every_variant_a_media_is_made_of_what_was_uploaded(name: str) -> None:
    with Portal(**VARIANTS[name].settings) as portal, Client(portal) as client:
        client.create(b"the video", "uuid==")

        assert [one.content for one in portal.tagged(ATTRIBUTE, "uuid==")] == [b"the video"]


@portal_with(contents=True, transcoding=60)
def test_the_object_content_info_says_how_far_it_is_and_has_captions_and_sizes(client: Client) -> None:
    own = client.create(b"the video").json()["id"]
    client.caption(own)

    shown = client.ask("GET", f"mashup/{own}").json()

    (content,) = shown["content"]
    assert {"isProcessed", "captions"}.isdisjoint(shown)
    assert (content["contentStatus"], content["contentType"]) == ("SubmitForProcessing", "video")
    assert [one["culture"] for one in content["contentDetails"]["closedCaptions"]] == ["en-US"]
    assert [one["size"] for one in content["contentDetails"]["contentFiles"]] == [9]
