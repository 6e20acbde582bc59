"""Scopes in their old and their new names."""

import pytest

from tests.sandbox.settings import CLASSIC, CLASSIC_READING, GRANULAR, READING
from zoomsync.zoom.scopes import SCOPES, doubtful, lacking, missing, surplus

ALL = tuple(SCOPES)


@pytest.mark.parametrize(
    ("scopes", "needs", "lacks"),
    [
        (GRANULAR, ALL, ()),
        (CLASSIC, ALL, ()),
        (READING, ("delete",), (("delete: recording:write:admin (classic) or "
                                "cloud_recording:delete:recording_file:admin (granular)"),)),
        (CLASSIC_READING, ("users", "meeting", "user list", "account list"), ()),
        (("recording:read:admin",), ("account list", "meeting"),
         (("account list: recording:read:admin and account:read:admin (classic) or "
          "cloud_recording:read:list_account_recordings:admin (granular)"),)),
        ((), ("users", "user"), ("users: user:read:admin (classic) or user:read:list_users:admin (granular)",
                                 "user: user:read:admin (classic) or user:read:user:admin (granular)")),
        (("user:read:admin", "cloud_recording:read:list_recording_files:admin"), ("user", "meeting"), ()),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_in_both_forms(
    scopes: tuple[str, ...], needs: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    assert missing(frozenset(scopes), needs) == lacks


@pytest.mark.parametrize(
    ("scopes", "needs", "wider"),
    [
        (GRANULAR, ALL, ()),
        (CLASSIC, ALL, ()),
        (("user:write:admin",), ("users",), (f"users: user:write:admin in place of {SCOPES['users']}",)),
        (("user:read:master", "user:master"), ("user",),
         (f"user: user:master and user:read:master in place of {SCOPES['user']}",)),
        (("user:read:user:master",), ("user",), (f"user: user:read:user:master in place of {SCOPES['user']}",)),
        (("user:read:admin", "user:master"), ("user", "users"), ()),
        (("user:read:user:admin", "user:write:admin"), ("user",), ()),
        (("recording:master", "account:master"), ("account list",),
         (f"account list: account:master and recording:master in place of {SCOPES['account list']}",)),
        (("recording:read:admin", "account:master"), ("account list",),
         (f"account list: account:master and recording:read:admin in place of {SCOPES['account list']}",)),
        (("cloud_recording:read:list_account_recordings:master",), ("account list",),
         (("account list: cloud_recording:read:list_account_recordings:master in place of "
           f"{SCOPES['account list']}"),)),
        (("recording:write:admin",), ("user list", "meeting", "delete"),
         tuple(f"{need}: recording:write:admin in place of {SCOPES[need]}" for need in ("user list", "meeting"))),
        (("recording:master",), ("delete",), (f"delete: recording:master in place of {SCOPES['delete']}",)),
    ],
)  # fmt: skip
def test_wider_scopes_are_perhaps_enough(
    scopes: tuple[str, ...], needs: tuple[str, ...], wider: tuple[str, ...]
) -> None:
    assert doubtful(frozenset(scopes), needs) == wider
    assert missing(frozenset(scopes), needs) == ()
    if wider:
        assert surplus(frozenset(scopes), needs) == ()


@pytest.mark.parametrize(
    ("scopes", "need"),
    [
        (("recording:master",), "account list"),
        (("account:master",), "account list"),
        (("recording:read:admin", "user:master"), "account list"),
        (("meeting:master", "meeting:write:admin"), "meeting"),
        (("user:read", "user:write"), "users"),
        (("user:read:user:master",), "users"),
        (("recording:read:admin", "recording:read:master"), "delete"),
        (("cloud_recording:read:list_user_recordings",), "user list"),
    ],
)
def test_other_scopes_are_not_enough(scopes: tuple[str, ...], need: str) -> None:
    assert missing(frozenset(scopes), (need,)) == (f"{need}: {SCOPES[need]}",)
    assert doubtful(frozenset(scopes), (need,)) == ()


@pytest.mark.parametrize(
    ("scopes", "needs", "more"),
    [
        (GRANULAR, ALL, ()),
        (CLASSIC, ALL, ()),
        ((*READING, "user:write:admin", "meeting:write"), ALL, ("meeting:write", "user:write:admin")),
        (
            GRANULAR,
            tuple(need for need in SCOPES if need != "delete"),
            ("cloud_recording:delete:meeting_recording:admin", "cloud_recording:delete:recording_file:admin"),
        ),
        (CLASSIC, ("users", "meeting"), ("recording:write:admin",)),
    ],
)
def test_what_nothing_needs_is_named(scopes: tuple[str, ...], needs: tuple[str, ...], more: tuple[str, ...]) -> None:
    assert surplus(frozenset(scopes), needs) == more


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Invalid access token, does not contain scopes:[user:read:list_users:admin].", str(SCOPES["users"])),
        ("does not contain scopes:[user:read:user:admin, user:read:admin].", str(SCOPES["user"])),
        ("does not contain scopes:[recording:write:admin, recording:write].", str(SCOPES["delete"])),
        ("does not contain scopes: [cloud_recording:delete:recording_file].", str(SCOPES["delete"])),
        ("does not contain scopes:[meeting:read, meeting:write].", "meeting:read or meeting:write"),
        ("does not contain scopes:[].", "Zoom does not say which"),
        ("no.", "Zoom does not say which"),
    ],
)
def test_the_scopes_of_a_refusal_are_understood(message: str, shown: str) -> None:
    assert lacking(message) == shown
