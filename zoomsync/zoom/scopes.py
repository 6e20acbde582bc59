"""Which scopes Zoom wants for what: classic names of old apps, granular names of new ones. Pure.

https://developers.zoom.us/docs/integrations/oauth-scopes-overview/
Zoom's pages call wider ones sufficient too: those to write, and `…:master` of accounts that have sub-accounts. Whether
they are, Zoom says itself: https://developers.zoom.us/docs/internal-apps/oauth-scopes/
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What one kind of request needs: all of `classic`, or `granular`."""

    classic: tuple[str, ...]
    granular: str

    def __str__(self) -> str:
        return f"{' and '.join(self.classic)} (classic) or {self.granular} (granular)"

    def is_in(self, scopes: frozenset[str]) -> bool:
        """Whether these are surely enough."""
        return self.granular in scopes or scopes.issuperset(self.classic)

    def wider_in(self, scopes: frozenset[str]) -> frozenset[str]:
        """Those of them that are perhaps enough in place of it; none if they are surely enough, or surely not."""
        if self.is_in(scopes):
            return frozenset()
        if found := scopes & {_master(self.granular)}:
            return found
        each = [scopes & {name, *_wider(name)} for name in self.classic]
        return frozenset().union(*each) if all(each) else frozenset()


def _master(name: str) -> str:
    return f"{name.removesuffix(':admin')}:master"


def _wider(classic: str) -> set[str]:
    """Of `user:read:admin`: `user:write:admin`, and the three of a master account."""
    noun, deed, _ = classic.split(":")
    return {f"{noun}:write:admin", f"{noun}:master", f"{noun}:{deed}:master", f"{noun}:write:master"}


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


def missing(scopes: frozenset[str], needs: Iterable[str]) -> tuple[str, ...]:
    """For each need that the scopes do not cover, not even perhaps: its name and both forms of its scope."""
    wanted = {need: SCOPES[need] for need in needs}
    return tuple(
        f"{need}: {scope}" for need, scope in wanted.items() if not scope.is_in(scopes) and not scope.wider_in(scopes)
    )


def doubtful(scopes: frozenset[str], needs: Iterable[str]) -> tuple[str, ...]:
    """For each need that the scopes cover only perhaps: its name, and the wider scopes in place of its own."""
    found = {need: sorted(SCOPES[need].wider_in(scopes)) for need in needs}
    return tuple(f"{need}: {' and '.join(wider)} in place of {SCOPES[need]}" for need, wider in found.items() if wider)


def surplus(scopes: frozenset[str], needs: Iterable[str]) -> tuple[str, ...]:
    """Scopes that none of the needs makes use of, sorted; not those that come along with a needed one."""
    wanted = tuple(needs)
    used = {"account:read:admin", *(name for need in wanted for name in (*SCOPES[need].classic, SCOPES[need].granular))}
    used |= {name for need in wanted for name in SCOPES[need].wider_in(scopes)}
    if "delete" in wanted:
        used.add("cloud_recording:delete:meeting_recording:admin")
    return tuple(sorted(scopes - used))


def lacking(message: str) -> str:
    """What Zoom's refusal 4711 says is missing, in both forms if we know them. Its bracket lists alternatives:

    https://github.com/JubaerHossain/zoom-laravel/issues/15
    """
    found = re.search(r"scopes:?\s*\[([^\]]*)\]", message)
    named = re.findall(r"[^\s,]+", found[1]) if found else []
    granular = (one for one in SCOPES.values() if {one.granular, one.granular.removesuffix(":admin")} & set(named))
    classic = (one for one in SCOPES.values() if set(one.classic) & set(named))
    return str(next(chain(granular, classic), "")) or " or ".join(named) or "Zoom does not say which"
