"""A portal in the config: what can be set, what goes together, what it means."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.config.builders import CREDENTIALS, a_config, a_file, problems
from zoomsync.config import Config, load
from zoomsync.config.describe import describe
from zoomsync.destinations.vidizmo.settings import VidizmoSettings
from zoomsync.model import Kind

WHY_NOT = "which proves sizes and no content (write trash: it can be undone for 30 days)"
PORTAL = {"type": "vidizmo", "url": "https://Portal.example.org/", "email": "Sync@example.org", "password": "hunter3"}


def a_portal(**keys: Any) -> Config:
    """A config whose destination is a portal with these keys; `top` is laid over the config."""
    top = keys.pop("top", {})
    return a_config(destination={key: value for key, value in {**PORTAL, **keys}.items() if value is not None}, **top)


def settings(config: Config) -> VidizmoSettings:
    assert isinstance(config.destination, VidizmoSettings)
    return config.destination


def portal_problems(folder: Path, below: str, top: str = "") -> list[str]:
    """What a user reads about a portal with these lines below `destination`."""
    lines = [f"  {key}: {value}" for key, value in PORTAL.items() if f"{key}:" not in below]
    return problems(folder, CREDENTIALS + top + "\n".join(["destination:", *lines, below]) + "\n")


def test_the_defaults_of_a_portal() -> None:
    found = settings(a_portal())

    assert found.model_dump(exclude={"password", "url", "email"}) == {
        "type": "vidizmo",
        "password_file": None,
        "client_secret": None,
        "client_secret_file": None,
        "application_id": None,
        "category": None,
        "tags": (),
        "moderation": "portal",
        "groups": {
            "viewer": "Viewer",
            "contributor": "Contributor",
            "uploading": ("Contributor", "Content Manager", "Administrator", "Manager", "Moderator"),
        },
        "users": "portal",
        "scim_url": None,
        "scim_token": None,
        "scim_token_file": None,
        "create_users": True,
        "max_new_users": 25,
        "invitation": "portal",
        "chat": "handout",
        "other_views": "separate",
        "language": "en-US",
        "uuid_attribute": "ZoomMeetingUUID",
        "index_lag": timedelta(minutes=15),
        "endpoints": {},
    }
    assert (found.id, found.email) == ("portal.example.org", "sync@example.org")
    assert found.password is not None
    assert found.password.reveal() == "hunter3"


def test_secrets_come_from_the_environment_or_from_files_and_are_read_when_used(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of an app\n")
    text = (
        "destination: {type: vidizmo, url: https://p.example.org, email: a@example.org, client_secret_file: secret,\n"
        "  users: scim, scim_url: https://p.example.org/scim, scim_token: '${TOKEN}'}\n"
    )

    found = settings(load(a_file(tmp_path, CREDENTIALS + text), {"TOKEN": "of scim"}))

    assert found.client_secret is not None
    assert found.scim_token is not None
    assert (found.client_secret.reveal(), found.scim_token.reveal()) == ("of an app", "of scim")
    assert "of an app" not in repr(found)


def test_every_secret_is_among_the_configs_secrets() -> None:
    assert [secret.reveal() for secret in a_portal().secrets()] == ["an-account", "a-client", "hunter2", "hunter3"]


@pytest.mark.parametrize(
    ("below", "top", "sentence"),
    [
        ("  url: portal", "", 'destination.url: "portal" is not an address (write https://…)'),
        (
            "  url: http://portal.example.org",
            "",
            'destination.url: "http://portal.example.org" would send secrets unencrypted (write https://…)',
        ),
        (
            "  uuid_attribute: zoomsyncreceipt",
            "",
            "destination.uuid_attribute: ZoomsyncReceipt holds what zoomsync stored (write another name)",
        ),
        ("  path: ./library", "", "destination.path: unknown key for this type of destination (remove it)"),
        ("  moderaton: portal", "", "destination.moderaton: unknown key (did you mean moderation?)"),
        (
            "  moderation: pending",
            "",
            'destination.moderation: "pending" is none of portal, force-pending (did you mean force-pending?)',
        ),
        ("  client_secret: x", "", "destination.password: and client_secret are both set (keep one)"),
        ("  password_file: x", "", "destination.password: is set, and password_file too (keep one)"),
        (
            "  users: scim\n  scim_token: x",
            "",
            "destination.scim_url: missing, but users is scim (write it, or users: portal)",
        ),
        ("  groups: {viewers: x}", "", "destination.groups.viewers: unknown key (did you mean viewer?)"),
        (
            "  groups: {uploading: []}",
            "",
            "destination.groups.uploading: is an empty list (remove the key to have its default)",
        ),
        ("  max_new_users: many", "", 'destination.max_new_users: "many" is not a whole number (write 0 to 100000)'),
        (
            "  language: English, please",
            "",
            'destination.language: "English, please" is not a language (write en-US or de-DE, say)',
        ),
        (
            "  endpoints: {media_gett: {}}",
            "",
            "destination.endpoints.media_gett: no such operation (did you mean media_get?)",
        ),
        (
            "  endpoints: {media_get: {answer: {szie: x}}}",
            "",
            "destination.endpoints.media_get.answer.szie: unknown key (did you mean size?)",
        ),
        ("  endpoints: [1]", "", "destination.endpoints: a list is not a mapping (write its keys below it, indented)"),
        (
            "",
            "delete_recordings: permanent\nfilter_accounts: [ada@example.org]\n",
            f"delete_recordings: permanent is not for a portal, {WHY_NOT}",
        ),
    ],
)
def test_a_problem_is_reported_with_its_path_and_its_remedy(
    tmp_path: Path, below: str, top: str, sentence: str
) -> None:
    assert portal_problems(tmp_path, below, top) == [sentence]


def test_what_is_missing_is_reported(tmp_path: Path) -> None:
    assert problems(tmp_path, CREDENTIALS + "destination: {type: vidizmo}\n") == [
        "destination.password: missing (or client_secret; each has a …_file)",
        "destination.url: missing (config.example.yaml shows it)",
        "destination.email: missing (config.example.yaml shows it)",
    ]


def test_the_trash_is_allowed_and_me_has_a_default() -> None:
    config = a_portal(top={"delete_recordings": "trash", "filter_accounts": ["ada@example.org"], "publish_as": "me"})

    assert (config.delete_recordings, config.me) == ("trash", None)


def test_what_the_portal_does_not_take_is_not_fetched() -> None:
    plain, spare = a_portal(), a_portal(chat="none", other_views="skip")

    assert (plain.kinds, plain.destination.only_primary) == (frozenset(Kind), False)
    assert (spare.kinds, spare.destination.only_primary) == (frozenset(Kind) - {Kind.CHAT}, True)
    assert (a_config().kinds, a_config().destination.only_primary) == (frozenset(Kind), False)


def test_what_it_means_in_words() -> None:
    config = a_portal(
        password=None,
        client_secret="x",
        moderation="force-pending",
        create_users=False,
        chat="none",
        other_views="skip",
        endpoints={"media_get": {"path": "media/{media}"}},
    )

    sentences = describe(config)
    assert sentences[2] == (
        "publishes to the VIDIZMO portal https://Portal.example.org as sync@example.org (by client secret), "
        "users by the portal's API, creates no users; its search may lag by 15 min; overrides media_get"
    )
    assert sentences[5] == (
        "fetches video, audio, captions, timeline, summary, other; views: all, of each segment the best alone; "
        "30 min after the end"
    )
    assert "publishes as the host, else sync@example.org, pending for approval" in sentences
    assert "publishes as the host, else sync@example.org, at once visible" in describe(a_portal())


@pytest.mark.parametrize(
    "keys",
    [{"url": "https://other.example.org"}, {"chat": "none"}, {"other_views": "skip"}],
)
def test_the_fingerprint_changes_with_where_items_go_and_what_of_them(keys: dict[str, Any]) -> None:
    assert a_portal(**keys).fingerprint() != a_portal().fingerprint()
    assert a_portal().fingerprint() != a_config().fingerprint()


def test_the_fingerprint_does_not_count_how_it_is_published() -> None:
    other = a_portal(password="another", tags=["a"], moderation="force-pending", index_lag="1h", max_new_users=1)

    assert other.fingerprint() == a_portal().fingerprint()
