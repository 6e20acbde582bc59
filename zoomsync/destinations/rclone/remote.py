"""A folder of a remote and what can be done in it; rclone does it, each refusal is an error of ours."""

import hashlib
import math
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http.client import IncompleteRead
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar
from unicodedata import normalize
from urllib.parse import quote

from zoomsync.destinations.marker import FOLDER
from zoomsync.destinations.rclone.client import LISTING_SECONDS, NOT_FOUND, Answer, Client, Watched
from zoomsync.destinations.rclone.layers import address, layers_of, local_folder
from zoomsync.destinations.rclone.refusals import refusal
from zoomsync.errors import ConfigError, LibraryUnusable, MeetingFailed, ServiceUnavailable, Unreachable, ZoomsyncError
from zoomsync.http import is_brief

PROOFS = ("sha256", "sha1", "md5")
"""Hashes that nothing but the content has, the strongest first; the names are rclone's.

QuickXorHash is none: OneDrive takes files in pieces of 320 KiB, which is 2,048 times its period of 160 bytes, so that
two pieces in each other's place have the same hash
(https://learn.microsoft.com/onedrive/developer/code-snippets/quickxorhash).
"""
OWN_HASHES = frozenset(
    {"local", "sftp", "s3", "b2", "azureblob", "google cloud storage", "drive", "box", "pcloud", "memory"}
)
"""The types of remotes that give a hash which the store itself made of the bytes that it has, or none.

Others give what the uploader said (WebDAV: OC-Checksum), what rclone noted aside (hasher, chunker), or nothing.
"""
MEMORY = ":memory:zoomsync"
"""Where rclone keeps a document until it is moved to the remote, whole and under its name, as any file."""
IS_FILE = "is a file not a directory"
"""What rclone says of a root (https://github.com/rclone/rclone/blob/v1.75.2/fs/fs.go, ErrorIsFile)."""
ASIDE = ".00000000.partial"
"""What a document is called on its way, where rclone would write it at once."""
LEAN: Mapping[str, Any] = {"noModTime": True, "noMimeType": True}
FOLDERS_ALONE: Mapping[str, Any] = {**LEAN, "dirsOnly": True}
LEFT_OUT = "- *.{json,m4a,mp4,txt,vtt}"
"""Most of the files that an item has. No rule may leave out a folder's name: what rclone may not look at counts as an
error unless a rule leaves it out, folder or not."""
T = TypeVar("T")


class Changed(ServiceUnavailable):
    """Somebody moved or removed a folder while it was listed: what was seen is not all."""

    service = "remote"


def steady(look: Callable[[], T], looks: int = 3) -> T:
    """What is seen while no folder goes away before its turn."""
    try:
        return look()
    except Changed:
        if looks == 1:
            raise
        return steady(look, looks - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file as the remote lists it."""

    size: int
    hash: str
    """By `Abilities.proof`; empty: the remote has none of this file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a remote can do."""

    type: str
    """As rclone's config calls it; empty: not known."""
    hashes: tuple[str, ...]
    proof: str
    """The hash that proves content; empty: none does."""
    can_move: bool
    keeps_folders: bool
    """Whether a folder stays that holds nothing."""
    loses_files: bool
    """Whether a file is removed that could not be replaced, or nobody knows
    (https://github.com/rclone/rclone/blob/v1.75.0/backend/webdav/webdav.go, updateSimple)."""
    is_encrypted: bool
    """Whether rclone's crypt is in it."""
    mark: str
    """Begins what the state keeps of a file's hash: of another store, or under another name, it is another one."""
    precision: int
    """Of modification times, in nanoseconds; what is over a century means that there are none."""


@dataclass(slots=True)
class Remote:
    """Paths are relative to its root, `/`-separated."""

    root: str
    """As the config names it."""
    client: Client
    abilities: Abilities | None = None
    """Known after `open`."""
    guard: Callable[[], None] = lambda: None
    """Called while a change is waited for; whatever it raises ends that."""

    @property
    def fs(self) -> str:
        """As rclone is told it: with a slash at its end no store is asked whether it is a file, which S3 takes for
        granted if it may not answer (https://github.com/rclone/rclone/blob/v1.75.2/backend/s3/s3.go, NewFs).
        """
        return self.root if self.root.endswith((":", "/")) else f"{self.root}/"

    @property
    def command(self) -> str:
        """What a person calls in a shell to see the same remote."""
        config = self.client.rclone.config
        return f"rclone --config {shlex.quote(str(config))}" if config else "rclone"

    @property
    def proof(self) -> str:
        """The hash of the store that proves content; empty: none does."""
        return self.abilities.proof if self.abilities is not None else ""

    @property
    def mark(self) -> str:
        """Begins the stamp of a file whose hash this store gave."""
        return self.abilities.mark if self.abilities is not None else ""

    def open(self) -> None:
        """Find out what it can do; nothing is asked of the store that rclone need not know to begin."""
        layers = layers_of(self.root, self._section)
        if (folder := local_folder(self.root, layers)) is not None and not folder.startswith("/"):
            message = f"{self.root}: leads to a folder of this machine by a relative path"
            hint = "write an absolute path, in destination.remote or in rclone's config: disk:/mnt/nas/zoom"
            raise ConfigError(message, hint=hint, service="config")
        below = [str(one.get("type", "")) for one in layers]
        if "union" in below:
            hint = "where one of its stores fails it shows what the others have, as if that were all: name one of them"
            raise ConfigError(f"{self.root}: leads to a union", hint=hint, service="config")
        info = self._good(self.client.call("operations/fsinfo", fs=self.fs), "").document
        name = str(info.get("Name", "")).partition("{")[0]
        section = {"type": name[1:]} if name.startswith(":") else self._section(name)
        kind = str(section.get("type", ""))
        hashes = tuple(map(str, info.get("Hashes") or ()))
        features = info.get("Features") or {}
        proof = next((one for one in PROOFS if one in hashes), "") if kind in OWN_HASHES else ""
        place = repr(
            (kind, self.fs, address(section, self.client.rclone.environ), [one.get("remote") for one in layers])
        )
        self.abilities = Abilities(
            type=kind,
            hashes=hashes,
            proof=proof,
            can_move=bool(features.get("Move")),
            keeps_folders=bool(features.get("CanHaveEmptyDirectories")),
            loses_files=not {"", "webdav"}.isdisjoint(below),
            is_encrypted="crypt" in below,
            mark=f"{proof} {hashlib.sha256(place.encode()).hexdigest()[:16]} ",
            precision=int(info.get("Precision", 0)),
        )

    def folders(self, path: str = "") -> list[str] | None:
        """The names of the folders in a folder; None: it is not there."""
        found = self._listed(path, FOLDERS_ALONE)
        return None if found is None else [str(one["Name"]) for one in found]

    def files(self, path: str, *, hashed: bool = True) -> dict[str, Entry]:
        """The files below a folder, by their path relative to it; none if it is not there."""
        proof = self.proof if hashed else ""
        hashes = {"showHash": True, "hashTypes": [proof]} if proof else {}
        options = {**LEAN, "recurse": True, "filesOnly": True, **hashes}
        found = steady(lambda: self._listed(path, options)) or ()
        start = normalize("NFC", f"{path}/")
        return {
            normalize("NFC", one["Path"]).removeprefix(start): Entry(  # as all names of ours are
                size=one["Size"], hash=(one.get("Hashes") or {}).get(proof, "")
            )
            for one in found
        }

    def places_of(self, name: str, path: str, depth: int = 2, *, is_listed: bool = False) -> Iterator[str]:
        """The folders below this one, wherever, that hold a file of this name: all of it is listed.

        To `depth` each folder by itself: what is listed at once is one year of one author, which fits into memory.
        Raises `Changed` if one is gone that its parent listed (`is_listed`), for what lay there may lie elsewhere.
        """
        options = {**LEAN, "recurse": not depth, "filesOnly": not depth}
        rules = {"FilterRule": [f"+ {name}", LEFT_OUT]}
        found = self._listed(path, options, seconds=LISTING_SECONDS, _filter=rules)
        if is_listed and not found:
            above, _, own = path.rpartition("/")  # a store that keeps no folders says of one that is gone: empty
            if found is None or own not in (self.folders(above) or ()):
                raise self._changed(path)
        for one in found or ():
            if one["IsDir"]:
                yield from self.places_of(name, one["Path"], depth - 1, is_listed=True)
            elif one["Name"] == name:
                yield str(one["Path"]).rpartition("/")[0]

    def read(self, path: str) -> bytes | None:
        """A document; None: it is not there."""
        try:
            answer = self.client.get(quote(f"/[{self.fs}]/{path}"))
        except Unreachable as error:
            if isinstance(error.__cause__, IncompleteRead):  # a read that fails half-way is cut without a word
                self.read_back(path, lambda _: None)  # this has words
            raise
        if answer.status != NOT_FOUND:
            return self._good(answer, path).body
        # Without a document that says so it is there, and could not be opened, for whatever reason
        # (https://github.com/rclone/rclone/blob/v1.75.2/lib/http/serve/serve.go, Object).
        if not answer.body.startswith(b"{") and self.read_back(path, lambda _: None) is not None:
            message = f"{self.name(path)}: could not be opened"
            raise ServiceUnavailable(message, hint="the next pass tries again", service="remote")
        return None

    def write(self, path: str, data: bytes, *, replaces: bool = True) -> None:
        """A document, which may replace one; a reader sees the old or the new, if the store replaces files at once."""
        name = self.client.rclone.new_id()
        is_frail = replaces and self.abilities is not None and self.abilities.loses_files
        aside = f"{path}{ASIDE}" if is_frail else path
        self._good(self.client.put(data, fs=MEMORY, name=name), path)
        try:
            self._send(aside, lambda _: None, srcFs=MEMORY, srcRemote=name)
        finally:
            self.client.call("operations/deletefile", fs=MEMORY, remote=name)
        if is_frail:
            there: dict[str, Any] = {"srcFs": self.fs, "srcRemote": aside, "dstFs": self.fs, "dstRemote": path}
            config = {"NoCheckDest": True}
            self._good(self.client.call("operations/movefile", watch=self.guard, _config=config, **there), path)

    def upload(self, source: Path, path: str, moved: Callable[[int], None]) -> None:
        """A staged file; `moved` is called with the bytes as they leave."""
        self._send(path, moved, srcFs=str(source.parent), srcRemote=source.name)

    def read_back(self, path: str, moved: Callable[[int], None]) -> str | None:
        """The SHA-256 of a file, all of which is downloaded for it, and kept nowhere; None: it is not there."""
        what = {"fs": self.fs, "remote": path, "hashType": "sha256", "download": True}
        answer = self._transfer("operations/hashsumfile", path, moved, lambda: None, **what)
        return None if answer.status == NOT_FOUND else str(self._good(answer, path).document["hash"])

    def remove(self, path: str) -> None:
        """A file, if it is there."""
        answer = self.client.call("operations/deletefile", watch=self.guard, fs=self.fs, remote=path)
        if answer.status != NOT_FOUND:
            self._good(answer, path)

    def remove_folder(self, path: str) -> None:
        """A folder, if it is there and the store lets it go; what holds something stays."""
        self.client.call("operations/rmdir", fs=self.fs, remote=path)

    def lacking(self, path: str) -> list["Remote"]:
        """The folders that a file in this one would make, the innermost first; what may not be looked at is there."""
        if self.abilities is None or not self.abilities.keeps_folders:
            return []
        name, _, place = f"{self.fs}{path}".partition(":")
        parts = place.split("/")
        above = (replace(self, root=f"{name}:{'/'.join(parts[:depth])}") for depth in range(len(parts), -1, -1))

        def is_away(one: Remote) -> bool:
            answer = self.client.call("operations/list", fs=one.fs, remote="", opt=FOLDERS_ALONE)
            return answer.status == NOT_FOUND

        return [*takewhile(is_away, above)]

    def name(self, path: str) -> str:
        """As messages have it."""
        return f"{self.fs}{path}" if path else self.root

    def _send(self, path: str, moved: Callable[[int], None], **source: str) -> None:
        """A file of rclone's to the remote; what is there under this name was looked at before."""
        config = {"NoCheckDest": True, "LowLevelRetries": 1 if is_brief() else self.client.rclone.tries}
        target = {"dstFs": self.fs, "dstRemote": path, "_config": config}
        self._good(self._transfer("operations/copyfile", path, moved, self.guard, **source, **target), path)

    def _transfer(
        self, call: str, path: str, moved: Callable[[int], None], guard: Callable[[], None], **parameters: Any
    ) -> Answer:
        """A call that moves bytes, as long as some move."""
        group = self.client.rclone.new_id()
        watched = Watched(client=self.client, group=group, moved=moved, guard=guard, name=self.name(path))
        try:
            answer = self.client.call(call, watch=watched.look, seconds=math.inf, _group=group, **parameters)
            watched.tell()
        finally:
            self.client.call("core/stats-delete", group=group)
        return answer

    def _section(self, name: str) -> Mapping[str, Any]:
        """What the environment, or else rclone's config, says of this remote; of a name that neither has, nothing."""
        said = self._good(self.client.call("config/get", name=name), "").document
        start = f"RCLONE_CONFIG_{name}_".upper()
        environ = self.client.rclone.environ.items()
        given = {key.removeprefix(start).lower(): value for key, value in environ if key.startswith(start)}
        return {**said, **given} or ({"type": "local"} if name == "local" else {})

    def _listed(self, path: str, options: Mapping[str, Any], **more: Any) -> list[Mapping[str, Any]] | None:
        """What lies there; None: it is not there. A list that lacks something is refused.

        If any folder below is gone by the time rclone comes to it, rclone says "not found", as of the whole.
        Of a folder of this machine rclone leaves out what it may not read, and only counts that
        (https://github.com/rclone/rclone/blob/v1.75.2/backend/local/local.go, List).
        """
        group = self.client.rclone.new_id()
        answer = self.client.call("operations/list", fs=self.fs, remote=path, opt=options, _group=group, **more)
        counted = self._good(self.client.call("core/stats", group=group), path).document
        self.client.call("core/stats-delete", group=group)
        if answer.status == NOT_FOUND:
            if options.get("recurse") and self.folders(path) is not None:
                raise self._changed(path)
            return None
        found: list[Mapping[str, Any]] = self._good(answer, path).document["list"]
        if counted["errors"]:
            raise self._refusal(str(counted["lastError"]), path)
        return found

    def _changed(self, path: str) -> Changed:
        message = f"{self.name(path)}: changed while it was listed"
        return Changed(message, hint="the next pass lists it again")

    def _good(self, answer: Answer, path: str) -> Answer:
        if not answer.is_good:
            raise self._refusal(self._reason(answer.error), path)
        return answer

    def _refusal(self, said: str, path: str) -> ZoomsyncError:
        error = refusal(said, self.name(path))
        is_all = not path or path.startswith(f"{FOLDER}/")  # no meeting's trouble
        return error.become(LibraryUnusable) if is_all and isinstance(error, MeetingFailed) else error

    def _reason(self, said: str) -> str:
        """What went wrong. S3 takes a root for a file if it cannot find out what it is, and below an alias or a crypt
        it tries to, as they drop the slash of `fs`. A list of the root has the reason
        (https://github.com/rclone/rclone/blob/v1.75.2/backend/s3/s3.go, NewFs; fs/fspath/path.go, JoinRootPath).
        """
        if IS_FILE not in said:
            return said
        name, _, place = self.fs.partition(":")
        below = [str(one["remote"]) for one in layers_of(self.root, self._section) if one.get("remote")]
        for fs, path in ((f"{name}:", place.strip("/")), *((f"{one.rstrip('/')}/", "") for one in below[-1:])):
            listed = self.client.call("operations/list", fs=fs, remote=path, opt=FOLDERS_ALONE)
            if IS_FILE not in listed.error:  # else what is wrapped has a path, whose slash is dropped too
                break
        is_file = listed.is_good or listed.status == NOT_FOUND or isinstance(refusal(listed.error, ""), MeetingFailed)
        return said if is_file else listed.error
