"""Which scopes Zoom wants for what: classic names of old apps, granular names of new ones. Pure.

https://developers.zoom.us/docs/integrations/oauth-scopes-overview/
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What one kind of request needs: all of `classic`, or `granular`."""

    classic: tuple[str, ...]
    granular: str

    def is_in(self, granted: frozenset[str]) -> bool:
        """Whether the granted scopes are enough."""
        return self.granular in granted or granted.issuperset(self.classic)

    def __str__(self) -> str:
        return f"{' and '.join(self.classic)} (classic) or {self.granular} (granular)"


SCOPES: Mapping[str, Scope] = {
    "users": Scope(classic=("user:read:admin",), granular="user:read:list_users:admin"),
    "user": Scope(classic=("user:read:admin",), granular="user:read:user:admin"),
    "account list": Scope(
        classic=("recording:read:admin", "account:read:admin"),
        granular="cloud_recording:read:list_account_recordings:admin",
    ),
    "user list": Scope(classic=("recording:read:admin",), granular="cloud_recording:read:list_user_recordings:admin"),
    "meeting": Scope(classic=("recording:read:admin",), granular="cloud_recording:read:list_recording_files:admin"),
    "delete": Scope(classic=("recording:write:admin",), granular="cloud_recording:delete:recording_file:admin"),
}
"""By need. Files are deleted one by one, so the scope for whole meetings is not among them."""


def granted(scope: str) -> frozenset[str]:
    """The scopes of a token answer, which come as one text."""
    return frozenset(scope.split())


def missing(scopes: frozenset[str], needs: Iterable[str]) -> tuple[str, ...]:
    """For each need that the scopes do not cover: its name and both forms of its scope."""
    return tuple(f"{need}: {SCOPES[need]}" for need in needs if not SCOPES[need].is_in(scopes))


def surplus(scopes: frozenset[str], needs: Iterable[str]) -> tuple[str, ...]:
    """Scopes that none of the needs makes use of, sorted; those that come along with a needed one are none."""
    wanted = tuple(needs)
    used = {name for need in wanted for name in (*SCOPES[need].classic, SCOPES[need].granular)}
    beside = {"account:read:admin"}
    if "delete" in wanted:
        beside.add("cloud_recording:delete:meeting_recording:admin")
    return tuple(sorted(scopes - used - beside))


def lacking(message: str) -> str:
    """What Zoom's refusal 4711 says is missing, in both forms where we know them."""
    found = re.search(r"scopes:?\s*\[([^\]]*)\]", message)
    named = re.split(r"[\s,]+", found[1].strip()) if found and found[1].strip() else []
    for scope in SCOPES.values():
        if {scope.granular, scope.granular.removesuffix(":admin")} & set(named):
            return str(scope)
    for scope in SCOPES.values():
        if set(scope.classic) & set(named):
            return str(scope)
    return " or ".join(named) or "Zoom does not say which"
