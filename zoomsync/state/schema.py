"""The form that the state has on disk: format 2."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, with_config

from zoomsync.model import AuthorizationStatus, Gap, Retry, Run

FORMAT: Literal[2] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The facts about the whole account."""

    id: str
    """The state's id: 32 hex digits, made up once."""
    pass_number: int = 0
    """Of the last pass begun."""
    library_pass: int = 0
    """Of the last pass that changed the destination."""
    library_run: str = ""
    """The id of that pass's run."""
    destination: str = ""
    """The destination's id; empty while none is known."""
    library: str = ""
    """The id of the last library, also while a portal is the destination."""
    since: datetime | None = None
    """Fixed at the first pass."""
    listed_till: datetime | None = None
    """Everything before it is listed or in `gaps`."""
    swept_at: datetime | None = None
    looked_back_at: datetime | None = None
    """When the whole lookback was last listed, if it has so many meetings that this is not done by every pass."""
    fingerprint: str = ""
    """Of the config, as of the last sweep."""
    gaps: tuple[Gap, ...] = ()
    account_list: Retry | None = None
    """Why the account-wide list could not be read, and when it is tried again."""
    lookups: Mapping[str, Retry] = field(default_factory=dict)
    """Addresses of the config that could not be looked up, and when each is tried again."""
    fetched_till: datetime | None = None
    """Shown only: timestamp of the newest recording fetched."""
    authorization: AuthorizationStatus = field(default_factory=AuthorizationStatus)
    told: tuple[str, ...] = ()
    """The troubles that `tell.notify` has told of and that last, each as 8 hex digits."""
    digest_at: datetime | None = None
    """When it last told of a week, or began to count one."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The content of `state.json`. Of the ledger it says only how many steps of it were there at least."""

    format: Literal[2] = FORMAT
    steps: int
    """Of `state.db`, when this was written: a ledger that has fewer is an older one."""
    head: Head
    runs: tuple[Run, ...] = ()
    """The last ones, newest last."""
