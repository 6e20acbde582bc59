"""What can be set, and its defaults: one frozen model for each section of the config.

A default is given as a person would write it in YAML, so that one place says how a value is read;
the text under a field is its description in the JSON schema.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, PrivateAttr

from zoomsync.config import types
from zoomsync.config.base import AnyDestination, Settings, written
from zoomsync.config.secrets import Finding, Source, others_can
from zoomsync.errors import ConfigError
from zoomsync.model import Kind, Secret
from zoomsync.rules.named import Named


class ZoomSettings(Settings):
    """The Server-to-Server OAuth app, and how Zoom is asked. Each credential has a `…_file` twin."""

    credentials = ("account_id", "client_id", "client_secret")

    account_id: types.SecretText
    """The app's Account ID. Better `${NAME}` or account_id_file than the text itself."""
    account_id_file: types.Text | None = None
    """A file that holds the Account ID alone; read when it is needed."""
    client_id: types.SecretText
    """The app's Client ID."""
    client_id_file: types.Text | None = None
    """A file that holds the Client ID alone; read when it is needed."""
    client_secret: types.SecretText
    """The app's Client Secret."""
    client_secret_file: types.Text | None = None
    """A file that holds the Client Secret alone; read again with each token."""
    api_url: types.Address = written("https://api.zoom.us/v2")
    """Zoom's API; https only, but for loopback. Zoom for Government: https://api.zoomgov.com/v2"""
    oauth_url: types.Address = written("https://zoom.us/oauth/token")
    """Where tokens come from. Zoom for Government: https://zoomgov.com/oauth/token"""
    download_hosts: tuple[types.HostName, ...] = Field(("zoom.us", "zoomgov.com"), min_length=1)
    """Downloads and their redirects go to these hosts, to hosts below them and to api_url's; nowhere else."""
    listing: Literal["auto", "account", "users"] = "auto"
    """account: one list for all users; users: a list per user; auto: what fits."""
    rate: types.Whole = Field(10, ge=1, le=80)
    """API requests a second at most. The account's limit is shared: Pro 20, Business and up 60."""


class RecordingsSettings(Settings):
    """Which recordings, and what of them."""

    since: types.Moment | None = None
    """A date or timestamp in UTC; nothing older is fetched. Default: 30 days before the first pass."""
    lookback: types.Duration = written("14d")
    """Every pass lists this far back again; if that is more than 900 meetings, a pass every six hours."""
    sweep: types.Interval = written("7d")
    """How often everything since `since` is listed again; never = never."""
    settle: types.Duration = written("30m")
    """How long after its end a recording is left alone, for Zoom to finish it."""
    min_duration: types.Duration = written("0s")
    """Shorter recordings are skipped; from start and end, not from Zoom's rounded minutes."""
    views: types.Views = "all"
    """all, best (chosen per segment), or a list of recording types, best first."""
    files: frozenset[Kind] = Field([kind.value for kind in Kind], min_length=1, validate_default=True)
    """What kinds of files are fetched."""


class TellSettings(Settings):
    """Whom a pass tells how it went. Each address may hold a secret, and has a `…_file` twin."""

    credentials = ("ping", "notify")

    ping: types.SecretText | None = None
    """A healthchecks address: asked for with /start when a pass begins, plain when all went well, with /fail if not."""
    ping_file: types.Text | None = None
    """A file that holds this address alone."""
    notify: tuple[types.SecretText, ...] = ()
    """Apprise addresses (extra [notify]): told of failure and recovery, each trouble once, and of each week."""
    notify_file: types.Text | None = None
    """A file that holds one such address alone."""
    metrics_file: types.Place | None = None
    """Written after each pass, in Prometheus' text form: for node_exporter a name that ends in .prom."""


class TlsSettings(Settings):
    """By which certificates pass, scheduler and workers of a cluster know each other."""

    ca: types.Place | None = None
    """The certificate of the authority that signed all of them."""
    cert: types.Place | None = None
    """This machine's own certificate."""
    key: types.Place | None = None
    """The private key of that; nobody else may read it."""


class EngineSettings(Settings):
    """Where meetings are fetched and stitched."""

    type: Literal["threads", "dask"] = "threads"
    """threads: in the pass itself; dask: by the workers of a cluster (extra [dask]), which share `staging`."""
    scheduler: types.Scheduler | None = None
    """For dask: tls://host:8786; tcp://127.0.0.1:8786 is for this machine alone."""
    tls: TlsSettings = written({})
    """For tls://: the certificates."""


_PLAIN = RecordingsSettings()


class Config(Settings):
    """Every setting, read and checked. Secrets are read only when they are used."""

    enabled: bool = True
    """The on/off switch; false: sync does nothing, status says Disabled."""
    zoom: ZoomSettings = written({})
    """The Server-to-Server OAuth app, and how Zoom is asked."""
    filter_accounts: tuple[types.Email, ...] = ()
    """E-mails of the users whose recordings are fetched; blank: EVERY user of the account."""
    filter_accounts_file: types.Place | None = None
    """Instead of filter_accounts: a file with one e-mail a line, # begins a comment."""
    exclude_accounts: tuple[types.Email, ...] = ()
    """E-mails of users whose recordings are left alone."""
    unknown_accounts: Literal["fail", "warn"] = "fail"
    """What an address does that Zoom never knew."""
    exclude_meetings: frozenset[types.What] = frozenset()
    """Meetings that are never fetched (again): uuid, number, number@2026-03-02, or [1857a920] of the folder."""
    hold_meetings: frozenset[types.What] = frozenset()
    """Meetings whose cloud copy is never deleted; named in the same ways."""
    recordings: RecordingsSettings = written({})
    """Which recordings, and what of them."""
    concatenate_recordings: bool = True
    """Stitch the segments of a meeting into one video; false: each stays its own video in the item."""
    reencode: bool = True
    """Re-encode segments that cannot be joined by copying; false: they stay separate videos."""
    publish_as: Literal["me", "zoom_user"] = "zoom_user"
    """The author: the host of the meeting, or always `me`."""
    me: types.Email | None = None
    """The author for publish_as: me, and if a host has none; default at a portal: the account that signs in."""
    aliases: Mapping[types.Email, types.Email] = Field(default_factory=dict)
    """Zoom e-mail: the same person's e-mail at the destination."""
    publish_state: Literal["published", "draft"] = "published"
    """Whether new items can be seen at once, or wait as drafts for a person to publish them."""
    title: types.Title = written("{topic} – {start:%Y-%m-%d %H:%M}")
    """Of {topic}, {start}, {host} and {number}."""
    timezone: types.TimeZone = "UTC"
    """For titles and folder dates: UTC, a name such as Europe/Berlin, or meeting for each meeting's own."""
    delete_recordings: Literal["never", "trash", "permanent"] = "never"
    """What is done to the cloud copy of what was published; trash: recoverable for 30 days."""
    delete_after: types.Duration = written("7d")
    """How long the last new file must be stored before; longer than your backup interval."""
    delete_limit: types.Whole = Field(200, ge=1, le=1_000_000)
    """How many meetings a pass deletes at most."""
    delete_all_accounts: bool = False
    """Must be true to delete with blank filter_accounts."""
    destination: AnyDestination = written({})
    """Where items go."""
    state: types.Place = written("./state/state.json")
    """What zoomsync remembers. Default: state.json in $STATE_DIRECTORY, else in ./state."""
    audit: types.Place = written("./state/audit.jsonl")
    """Every deletion and its proof. Default: audit.jsonl beside the state."""
    staging: types.Place | None = None
    """Where downloads lie while a meeting is open. Default: within the library; for a portal, beside the state."""
    min_free_disk: types.Size = written("2GB")
    """Kept free on every file system that is written to."""
    workers: types.Whole = Field(4, ge=1, le=64)
    """How many meetings are worked on at the same time; the next ones are fetched meanwhile."""
    connections: types.Whole = Field(8, ge=1, le=64)
    """How many downloads there are at the same time, over all meetings; a large file that comes slowly has several."""
    bandwidth: types.Bandwidth = None
    """Bytes a second that downloads take at most, over all connections: 50MB. Default: no limit."""
    engine: EngineSettings = written({})
    """Where meetings are fetched and stitched: threads of the pass, or a cluster."""
    tell: TellSettings = written({})
    """Whom a pass tells how it went."""

    _path: Path = PrivateAttr(Path("config.yaml"))
    _sources: tuple[Source, ...] = PrivateAttr(())

    @property
    def path(self) -> Path:
        """The file that it was read from."""
        return self._path

    def read_from(self, path: Path, sources: tuple[Source, ...]) -> "Config":
        """Remember where it and its secrets come from; for the reader of the file alone."""
        self._path, self._sources = path, sources
        return self

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of files that are fetched: those selected, but for what the destination does not take."""
        return self.recordings.files - self.destination.skipped_kinds

    @property
    def own_rate(self) -> float:
        """Requests a second that a pass itself sends to the API; what is left of the rate its workers share."""
        return self.zoom.rate if self.engine.type == "threads" else self.zoom.rate / 2

    @property
    def named_meetings(self) -> dict[str, Named]:
        """The meetings that the config names, by the key that names them."""
        lists = {"exclude_meetings": self.exclude_meetings, "hold_meetings": self.hold_meetings}
        return {key: Named(sorted(whats), self.timezone) for key, whats in lists.items()}

    def check_since(self, now: datetime) -> None:
        """Raise `ConfigError` if it begins in the future."""
        if self.recordings.since is not None and self.recordings.since > now:
            fact = f"recordings.since: {self.recordings.since:%Y-%m-%d} lies in the future: nothing would be fetched"
            raise ConfigError(fact, hint="write a day that is over")

    def fingerprint(self) -> str:
        """16 hex digits that change when another selection of recordings or destination makes a sweep due.

        A value at its default does not count, so that new keys can come.
        """
        names = ("since", "min_duration", "views", "files")
        selection = {
            "enabled": (self.enabled, True),
            "filter_accounts": (sorted(self.filter_accounts), []),
            "exclude_accounts": (sorted(self.exclude_accounts), []),
            **{f"recordings.{one}": (getattr(self.recordings, one), getattr(_PLAIN, one)) for one in names},
        }
        counted = {name: value for name, (value, default) in selection.items() if value != default}
        counted |= {f"destination.{name}": value for name, value in self.destination.selection().items()}
        canonical = json.dumps(counted, sort_keys=True, default=_json)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def secrets(self) -> list[Secret]:
        """Every secret without which a pass cannot work."""
        return [Secret(source.read) for source in self._sources if not source.key.startswith("tell.")]

    def secret_findings(self) -> list[Finding]:
        """`fail` for a secret file that others can read or write, `warn` for such a config."""
        sources = self._sources
        if (key := self.engine.tls.key) is not None and sources:
            sources += (replace(sources[0], key="engine.tls.key", text=str(key).replace("${", "$${"), is_file=True),)
        found = [source.finding(self.path) for source in sources]
        if "write" in others_can(self.path, sources[0].environ if sources else {}):
            found.append(("warn", f"{self.path}: others can write it", f"chmod go-w {self.path}"))
        return [finding for finding in found if finding]


def _json(value: object) -> object:
    """A value of the fingerprint as JSON has it."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else str(value)
