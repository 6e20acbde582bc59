"""How the portal behaves; mutable, so that a test can change it between two requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from tests.sandbox.settings import wall_clock

GROUPS = ("All Users", "Viewer", "Contributor", "Content Manager", "Administrator")
ROLES = ("Administrator", "Manager", "Moderator", "Contributor", "Viewer", "Anonymous")
UPLOADING = ("Contributor", "Content Manager", "Administrator", "Manager", "Moderator")
"""Those whose members may upload, in either list."""


@dataclass(kw_only=True)
class PortalSettings:
    """Each default is what the table of operations assumes."""

    email: str = "service@example.org"
    password: str = "portal-password-5f2c"
    client_secret: str = "portal-secret-77d0"
    application_id: str | None = None
    """Wanted at sign-in; None: not wanted."""
    secret_is_expired: bool = False
    """The Authentication App's secret has reached its end."""
    service_group: str | None = None
    """Of the account that signs in; None: a privileged one. As a Contributor its uploads are moderated."""
    publishes_for_others: bool = True
    """False: that account may name no author but itself."""
    manages_users: bool = True
    """False: the account that signs in may neither look up nor change users."""

    token_form: Literal["quoted", "bare"] = "quoted"
    token_lifetime: float = 86400
    """Seconds after which a token ends, however busy."""
    token_idle: float | None = None
    """Idle seconds after which it ends: 1200 on some versions."""
    single_session: bool = False
    """A sign-in ends the tokens before it."""
    expired_status: int = 400
    """Of InvalidAccessTokenException; 401 on some versions."""
    wrong_credentials_status: int = 401
    rate: int | None = None
    """Requests a second; what is more gets a 429."""

    ids: Literal["numbers", "strings", "mixed"] = "numbers"
    """mixed: users and groups by number, media as strings."""
    membership: Literal["groups", "roles"] = "groups"
    """roles: older versions, in which a user has exactly one."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Groups and roles by other names: `{"Contributor": "Mitwirkende"}`."""
    paths: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Operations that this portal has elsewhere: `{"media_get": ("GET", "media/{id}")}`."""

    create_users: bool = True
    creation_off_status: int = 400
    """Of the refusal to add users where that is switched off; 403 on some."""
    licences: int | None = None
    """How many users may still be added or raised; None: no end."""
    new_users_are_active: bool = True
    """False: a user is inactive until the registration is complete."""
    users_envelope: str = "users"
    """Where the answer of `user_find` holds the list: a dotted path; empty: the answer is the list."""
    finds_in_names: bool = True
    """`user_find` matches parts of addresses and names; False: whole addresses alone."""

    search_envelope: str = "mashups"
    """Where the answer of `media_search` holds the list, likewise."""
    paging: Literal["pages", "items", "offset"] = "pages"
    """What pageIndex counts; offset: there is a field `offset`, counting items, instead of it."""
    page_cap: int = 100
    """The most entries that a page holds, however many are asked for."""
    keyword: Literal["substring", "words", "ignored", "plain", "refusing"] = "substring"
    """How a search compares: words finds whatever shares one word, ignored finds everything; plain finds nothing for
    a keyword that has a sign in it (beside `@ . _ -`), and refusing answers it with a 400."""
    search_attributes: Literal["full", "empty", "none"] = "full"
    """What the entries of a search show of custom attributes: all, an empty list, or not even that."""
    index_lag: float = 0
    """Seconds until a search finds a new media, and no longer finds a deleted one."""

    moderation: bool = False
    """What Contributors publish waits for approval; privileged accounts are not judged."""
    approval: float | None = None
    """Seconds until somebody approves what waits for that; None: nobody does."""
    transcoding: float | None = 0
    """Seconds until a media item is processed; None, or infinite: it never is."""
    contents: bool = False
    """The object contentInfo (help article 17000110694) says whether it is transcoded, and has captions and sizes."""
    version_by_transcoding: bool = False
    """When transcoding ends, the version goes up by itself, and `updatedDate` with it."""
    attribute_length: int | None = None
    """The most characters that a custom attribute holds: a longer text is refused; None: no end."""
    attribute_cut: bool = False
    """A longer text is cut instead, and nobody is informed."""
    admin_fields: frozenset[str] = frozenset()
    """Viewing-access, download, comment and share fields that the admin set: those may be sent, at any depth."""
    overriding: Literal["refuse", "flag"] = "refuse"
    """What happens to such a field that the admin did not set; flagged ones are in `Portal.overridden`."""
    captions_replace: bool = False
    """A second caption of a culture replaces the first."""
    captions_wait: bool = False
    """Captions and handouts are refused until the media is processed."""
    size_error: int = 0
    """How much the size shown differs from the true one."""
    purged_is_missing: bool = False
    """A purged media is not found; else it is shown as Purged."""

    block_list: Literal["sorted", "reversed", "repeated", "unsupported"] = "sorted"
    """How the blocks are listed that have come."""
    lost_blocks: set[int] = field(default_factory=set)
    """Indexes of blocks that are acknowledged and lost, once each."""
    largest_block: int = 100 << 20
    empty_blocks: bool = False
    """Blocks of no bytes are taken; else they are refused, as by stores that know of none."""
    initialize_clears: bool = False
    """Initialising again forgets the blocks that have come."""

    scim: bool = True
    scim_token: str = "portal-scim-1c9e"
    scim_shows_groups: bool = True
    """False: a user's groups are never shown."""
    scim_filters: bool = True
    """False: `filter` is read and nothing done about it, as by some servers: everyone is listed."""

    skew: timedelta = timedelta(0)
    """How far the portal's `Date` is ahead of the clock."""
    sends_date: bool = True
    echoes_secrets: bool = False
    """An error repeats what was sent, password and token included, in `message` and `exceptionDetails`."""
    clock: Callable[[], datetime] = wall_clock

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups or roles that there are, by their ordinary names."""
        return GROUPS if self.membership == "groups" else ROLES

    @property
    def privileged(self) -> str:
        """The group of the account that signs in."""
        return self.service_group or ("Content Manager" if self.membership == "groups" else "Manager")
