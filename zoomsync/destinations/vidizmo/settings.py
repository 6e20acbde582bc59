"""A portal in the config: what can be set, what goes together, what it means."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema

from zoomsync.config.base import DestinationSettings, Settings, written
from zoomsync.config.types import Address, Duration, Email, Language, SecretText, Text, Whole, shown_value
from zoomsync.destinations.base import Destination, DestinationContext
from zoomsync.destinations.vidizmo.operations import RECEIPT_ATTRIBUTE
from zoomsync.destinations.vidizmo.overrides import METHODS, override
from zoomsync.destinations.vidizmo.templates import Operation
from zoomsync.formatting import plural, span_in_words
from zoomsync.model import Kind

_CREDENTIALS = ("password", "password_file", "client_secret", "client_secret_file")
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_WORDS = {"type": "array", "items": {"type": "string"}}
_PLACE: dict[str, Any] = {
    "type": ["string", "object"],
    "additionalProperties": False,
    "properties": {"at": {"type": "string"}, "is": _WORDS, "gone": _WORDS, "sum": {"type": "boolean"}},
}
_ROW = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "method": {"enum": [*METHODS]},
        "path": {"type": "string"},
        "query": _TEXTS,
        "body": {"type": ["object", "array", "string"]},
        "answer": {"type": "object", "additionalProperties": _PLACE},
    },
}


def _endpoints(value: object) -> Mapping[str, Any]:
    """What is wrong within is found before: here each row would be one text."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{shown_value(value)} is not a mapping (write its keys below it, indented)")  # noqa: TRY004  # pydantic collects ValueErrors
    return value


Endpoints: TypeAlias = Annotated[
    Mapping[str, Any], PlainValidator(_endpoints), WithJsonSchema({"type": "object", "additionalProperties": _ROW})
]


class GroupSettings(Settings):
    """What the portal calls the groups (older versions: roles) that zoomsync knows."""

    viewer: Text = "Viewer"
    """Who may watch. If a host is in it, and in none that may upload, the contributor group is added."""
    contributor: Text = "Contributor"
    """Who may upload: what new users become."""
    uploading: tuple[Text, ...] = Field(
        ("Contributor", "Content Manager", "Administrator", "Manager", "Moderator"), min_length=1
    )
    """All groups whose members may upload."""

    @property
    def may_upload(self) -> frozenset[str]:
        """Those, and the one that new users are put in."""
        return frozenset({*self.uploading, self.contributor})


class VidizmoSettings(DestinationSettings):
    """A VIDIZMO portal."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [name]} for name in _CREDENTIALS]})

    credentials = ("password", "client_secret", "scim_token")

    type: Literal["vidizmo"]
    """vidizmo: a portal."""
    url: Address
    """The portal's address; its host selects the tenant."""
    email: Email
    """The account that signs in, and the author if neither the host nor `me` can be."""
    password: SecretText | None = None
    """Its password; or client_secret."""
    password_file: Text | None = None
    """A file that holds the password alone; read again with each token."""
    client_secret: SecretText | None = None
    """The secret of an Authentication App made in the portal, which has an expiry date; or password."""
    client_secret_file: Text | None = None
    """A file that holds the secret alone; read again with each token."""
    application_id: Text | None = None
    """The id of that app, if the portal wants it."""
    category: Text | None = None
    """The category of new items, by name."""
    tags: tuple[Text, ...] = ()
    """Tags of new items, beside the one that all media items of a meeting share."""
    moderation: Literal["portal", "force-pending"] = "portal"
    """portal: it decides whose items must be approved; force-pending: every item that is not a draft must be."""
    groups: GroupSettings = written({})
    """What its groups are called."""
    users: Literal["portal", "scim"] = "portal"
    """How users are found and made. portal: by its API; scim: by SCIM 2.0."""
    scim_url: Address | None = None
    """The address of SCIM, for users: scim."""
    scim_token: SecretText | None = None
    """The token of SCIM, made in the portal."""
    scim_token_file: Text | None = None
    """A file that holds that token alone."""
    create_users: bool = True
    """Whether a host whom the portal does not know is created and invited; false: `me` is the author."""
    max_new_users: Whole = Field(25, ge=0, le=100_000)
    """How many users a pass creates at most."""
    invitation: Literal["portal", "call"] = "portal"
    """How a new user gets the mail with the link. portal: user_create sends it; call: user_invite is called."""
    chat: Literal["handout", "none"] = "handout"
    """handout: chats are attached; none: they are not fetched."""
    other_views: Literal["separate", "skip"] = "separate"
    """separate: each further view, and the sound, is an item of its own; skip: the best view of each segment alone."""
    language: Language = "en-US"
    """The language of captions that do not say theirs."""
    uuid_attribute: Text = "ZoomMeetingUUID"
    """The custom attribute for a meeting's uuid; created on first use."""
    index_lag: Duration = written("15m")
    """How long the portal's search may take to find what is new."""
    endpoints: Endpoints = written({})
    """Rows of the table of operations that differ at this portal, by name; see the manual, share/doc/portal.md."""

    @property
    def id(self) -> str:
        """Host and tenant."""
        parts = urlsplit(self.url.lower())
        return f"{parts.netloc}{parts.path}"

    @property
    def table(self) -> Mapping[str, Operation]:
        """The table of operations of this portal."""
        return override(self.endpoints)[0]

    def build(self, context: DestinationContext) -> Destination:
        from zoomsync.destinations.vidizmo.destination import VidizmoDestination

        return VidizmoDestination(self, context)

    def sentence(self) -> str:
        how = "password" if self.password else "client secret"
        users = "the portal's API" if self.users == "portal" else "SCIM"
        new = f"at most {plural(self.max_new_users, 'new user')} a pass" if self.create_users else "creates no users"
        other = f"; overrides {', '.join(sorted(self.endpoints))}" if self.endpoints else ""
        return (
            f"publishes to the VIDIZMO portal {self.url} as {self.email} (by {how}), users by {users}, {new}; "
            f"its search may lag by {span_in_words(self.index_lag or timedelta())}{other}"
        )

    def selection(self) -> Mapping[str, object]:
        skipped = {"chat": self.chat == "none", "other_views": self.other_views == "skip"}
        return {"type": self.type, "url": self.url, **{name: True for name, is_set in skipped.items() if is_set}}

    @classmethod
    def problems(cls, config: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
        """The rules of a portal; it needs no `me`, since its account is an author."""
        portal = config["destination"]
        given = [name for name in ("password", "client_secret") if name in portal]
        if len(given) != 1:
            both, neither = "and client_secret are both set (keep one)", "missing (or client_secret; each has a …_file)"
            yield "destination.password", both if given else neither
        if portal.get("users") == "scim":
            for name in ("scim_url", "scim_token"):
                if name not in portal:
                    yield f"destination.{name}", "missing, but users is scim (write it, or users: portal)"
        if config.get("delete_recordings") == "permanent":
            remedy = "write trash: it can be undone for 30 days"
            yield "delete_recordings", f"permanent is not for a portal, which proves sizes and no content ({remedy})"
        if str(portal.get("uuid_attribute")).casefold() == RECEIPT_ATTRIBUTE.casefold():
            yield "destination.uuid_attribute", f"{RECEIPT_ATTRIBUTE} holds what zoomsync stored (write another name)"
        if isinstance(portal.get("endpoints"), Mapping):
            for key, problem in override(portal["endpoints"])[1].items():
                yield f"destination.endpoints.{key}", problem

    @property
    def account(self) -> str:
        """The account that signs in."""
        return self.email

    @property
    def visibility(self) -> str:
        """Moderation may keep it back."""
        return "pending for approval" if self.moderation == "force-pending" else super().visibility

    @property
    def skipped_kinds(self) -> frozenset[Kind]:
        """Chats, by `chat`."""
        return frozenset({Kind.CHAT} if self.chat == "none" else ())

    @property
    def only_primary(self) -> bool:
        """By `other_views`."""
        return self.other_views == "skip"
