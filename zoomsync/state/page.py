"""`state.json`: a page that a person can read, sealed with a checksum, replaced as a whole."""

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from zoomsync.errors import StateUnusable
from zoomsync.files import Refusals, read_file, write
from zoomsync.formatting import escaped_json
from zoomsync.model import AuthorizationStatus, Gap, Retry, Run

FORMAT: Literal[2] = 2
"""Of page and ledger."""
STATE = Refusals(
    error=StateUnusable,
    no_room="free some space on its file system, or raise the quota or file size limit",
    no_right="run zoomsync as the user that owns it, and check the modes of its folders",
    otherwise="check this path and the disk that it is on",
    names_path=True,
)
"""Of the folder of state, lock and audit."""
LIMIT = 4 << 30
"""Of each file that is read as a whole."""
WITHOUT_BACKUP = "without one, move its state.* files away, then `zoomsync sync --adopt-library`"

_SEAL = b'{"crc32":"%08x",'
_FORMAT_IN_FILE = re.compile(rb'\{"crc32":"[0-9a-f]{8}","format":([0-9]+),')
"""How `state.json` begins, in this and every other format."""


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
    adopting: str = ""
    """The id of the library whose adoption has begun and did not come to its end: the next pass there goes on."""
    adopted_till: str = ""
    """How far that came, as the library said it."""
    unadopted: Mapping[str, int] = field(default_factory=dict)
    """The id of a library → how many items its last adoption left out."""
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


_PAGE = TypeAdapter(Page)


def damaged(path: Path, fact: str) -> StateUnusable:
    """The error for a file that is not what was written."""
    hint = f"restore the whole folder {path.parent} from a backup; {WITHOUT_BACKUP}"
    return StateUnusable(f"{path}: {fact}", hint=hint)


def misfit(where: Path | str, error: ValidationError, version: int) -> StateUnusable:
    """The error for what is whole, and was not written by this version."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    hint = "run the zoomsync that wrote it, or restore the whole folder from a backup"
    return StateUnusable(f"{where}: does not fit format {version}: {place}: {first['msg'].lower()}", hint=hint)


def newer(where: Path, version: int) -> StateUnusable:
    """The error for what a later version wrote."""
    hint = "run the newer zoomsync that wrote it, or restore a backup from before the upgrade"
    fact = f"has format {version}, and this zoomsync knows formats up to {FORMAT}"
    return StateUnusable(f"{where}: {fact}", hint=hint)


def json_of(adapter: TypeAdapter[Any], value: object) -> str:
    """A value as JSON in one line, without what is at its default; half a character becomes `?`.

    Such a half is in a message that names a file whose name is no UTF-8; what Zoom says was cleaned when it was read.
    """
    plain = adapter.dump_python(value, mode="json", exclude_defaults=True)
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return escaped_json(text.encode(errors="replace").decode())


def seal(body: bytes, seed: int = 0) -> bytes:
    """`body`, a JSON object that is not empty, with its checksum as first key."""
    return _SEAL % zlib.crc32(body, seed) + body[1:]


def unseal(sealed: bytes, seed: int = 0) -> bytes | None:
    """What was sealed with that seed; None when a bit of it differs."""
    rest = memoryview(sealed)[len(_SEAL % 0) :]
    checksum = zlib.crc32(rest, zlib.crc32(b"{", seed))
    return b"{" + rest if sealed.startswith(_SEAL % checksum) else None


def unsealed(path: Path, data: bytes) -> tuple[bytes, int]:
    """What `state.json` says, whole, and in which format; raises `StateUnusable`."""
    begin = _FORMAT_IN_FILE.match(data)
    if begin and int(begin[1]) > FORMAT:
        raise newer(path, int(begin[1]))
    body = unseal(data)
    if body is None or begin is None:
        raise damaged(path, "is damaged" if data.strip(b"\0\r\n\t ") else "is empty")
    return body, int(begin[1])


def read_page(path: Path, body: bytes) -> Page:
    """The page whose seal is off."""
    try:
        return _PAGE.validate_json(body)
    except ValidationError as error:
        raise misfit(path, error, FORMAT) from error


def write_page(path: Path, page: Page) -> None:
    """Make it the content of `state.json`, durably: the head in lines that one can read, then a line for each run."""
    whole = json.loads(json_of(_PAGE, page))
    for run in whole.get("runs", ()):
        run["counts"] = {name: count for name, count in run.get("counts", {}).items() if count}
    runs = ",\n".join(json.dumps(run, ensure_ascii=False) for run in whole.get("runs", ()))
    head = json.dumps(whole["head"], ensure_ascii=False, indent=1)
    text = f'{{"format":{page.format},"steps":{page.steps},\n"head":{head},\n"runs":[\n{runs}\n]}}\n'
    write(path, seal(escaped_json(text).encode()))


def content(path: Path) -> bytes | None:
    """Of `state.json`; None: there is none."""
    try:
        return read_file(path, LIMIT)
    except FileNotFoundError:
        return None
