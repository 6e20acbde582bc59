"""Where items can go: one section for each type of destination."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, Tag

from zoomsync.config.base import Settings, written
from zoomsync.config.types import (
    Address,
    Count,
    Duration,
    Email,
    Endpoints,
    FileMode,
    Flag,
    FolderMode,
    Group,
    Language,
    Place,
    SecretText,
    Text,
)
from zoomsync.destinations.vidizmo.overrides import override
from zoomsync.destinations.vidizmo.templates import Operation
from zoomsync.formatting import plural, span_in_words


class LibrarySettings(Settings):
    """The library: a folder that needs no server."""

    type: Literal["library"] = "library"
    """library: a folder; vidizmo: a portal. rclone is not built yet."""
    path: Place = written("./library")
    """The folder; relative to the config file."""
    dir_mode: FolderMode = written("0750")
    """Permissions of its folders, in quotes."""
    file_mode: FileMode = written("0640")
    """Permissions of its files, in quotes."""
    group: Group | None = None
    """The group that its folders and files belong to; by name or number."""

    def sentence(self) -> str:
        """What `auth-check` says of it."""
        group = f", group {self.group}" if self.group else ""
        modes = f"folders {self.dir_mode:04o}, files {self.file_mode:04o}{group}"
        return f"publishes to the library {self.path} ({modes})"

    def selection(self) -> Mapping[str, object]:
        """What makes another destination of it; nothing that is at its default."""
        plain = LibrarySettings()
        return {name: value for name, value in self if value != getattr(plain, name)}


class Groups(Settings):
    """What the portal calls the groups (older versions: roles) that zoomsync knows."""

    viewer: Text = "Viewer"
    """Who may watch. A host in it, and in none that may upload, gets the contributor group added."""
    contributor: Text = "Contributor"
    """Who may upload: what new users become."""
    uploading: tuple[Text, ...] = Field(
        ("Contributor", "Content Manager", "Administrator", "Manager", "Moderator"), min_length=1
    )
    """All groups whose members may upload."""


class VidizmoSettings(Settings):
    """A VIDIZMO portal."""

    type: Literal["vidizmo"]
    """vidizmo: a portal."""
    url: Address
    """The portal's address; its host selects the tenant."""
    email: Email
    """The account that signs in, and the author where neither the host nor `me` can be."""
    password: SecretText | None = None
    """Its password; or client_secret."""
    password_file: Text | None = None
    """A file that holds the password alone; read anew with each token."""
    client_secret: SecretText | None = None
    """The secret of an Authentication App made in the portal, which has an expiry date; or password."""
    client_secret_file: Text | None = None
    """A file that holds the secret alone; read anew with each token."""
    application_id: Text | None = None
    """Of that app, where the portal wants it."""
    category: Text | None = None
    """The category of new items, by name."""
    tags: tuple[Text, ...] = ()
    """Tags of new items, beside the one that all videos of a meeting share."""
    moderation: Literal["portal", "force-pending"] = "portal"
    """portal: it decides whose items are approved first; force-pending: every item that is not a draft."""
    groups: Groups = written({})
    """What its groups are called."""
    users: Literal["portal", "scim"] = "portal"
    """How users are found and made: by the portal's API, or by SCIM 2.0."""
    scim_url: Address | None = None
    """Where SCIM is, for users: scim."""
    scim_token: SecretText | None = None
    """The token of SCIM, made in the portal."""
    scim_token_file: Text | None = None
    """A file that holds that token alone."""
    create_users: Flag = True
    """Whether a host whom the portal does not know is created and invited; false: `me` is the author."""
    max_new_users: Count = 25
    """How many a pass creates at most."""
    invitation: Literal["portal", "call"] = "portal"
    """Who has whom it creates mailed the link: the portal, told so or by itself; call: user_invite is called."""
    chat: Literal["handout", "none"] = "handout"
    """handout: chats are attached; none: they are not fetched."""
    other_views: Literal["separate", "skip"] = "separate"
    """separate: each further view, and the sound, is an item of its own; skip: the best view of each segment alone."""
    language: Language = "en-US"
    """Of captions that do not say theirs."""
    uuid_attribute: Text = "ZoomMeetingUUID"
    """The custom attribute that holds a meeting's uuid; created on first use."""
    index_lag: Duration = written("15m")
    """How long the portal's search may take to find what is new."""
    endpoints: Endpoints = written({})
    """Rows of the table of operations that this portal has otherwise, by name; see the README."""

    @property
    def id(self) -> str:
        """Host and tenant."""
        parts = urlsplit(self.url.lower())
        return f"{parts.netloc}{parts.path}"

    @property
    def table(self) -> Mapping[str, Operation]:
        """The table of operations of this portal."""
        return override(self.endpoints)[0]

    def sentence(self) -> str:
        """What `auth-check` says of it."""
        how = "password" if self.password else "client secret"
        users = "the portal's API" if self.users == "portal" else "SCIM"
        new = f"at most {plural(self.max_new_users, 'new user')} a pass" if self.create_users else "creates no users"
        other = f"; overrides {', '.join(sorted(self.endpoints))}" if self.endpoints else ""
        return (
            f"publishes to the VIDIZMO portal {self.url} as {self.email} (by {how}), users by {users}, {new}; "
            f"its search may lag by {span_in_words(self.index_lag or timedelta())}{other}"
        )

    def selection(self) -> Mapping[str, object]:
        """What makes another destination of it, or selects other files."""
        skipped = {"chat": self.chat == "none", "other_views": self.other_views == "skip"}
        return {"type": self.type, "url": self.url, **{name: True for name, is_set in skipped.items() if is_set}}


def kind_of(value: Any) -> str:
    """Which type a destination is, before it is read."""
    named = value.get("type", "library") if isinstance(value, Mapping) else getattr(value, "type", "library")
    return named if named in TYPES else "library"


TYPES: Mapping[str, type[Settings]] = {"library": LibrarySettings, "vidizmo": VidizmoSettings}

Destination: TypeAlias = Annotated[
    Annotated[LibrarySettings, Tag("library")] | Annotated[VidizmoSettings, Tag("vidizmo")], Discriminator(kind_of)
]
