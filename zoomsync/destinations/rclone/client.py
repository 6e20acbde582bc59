"""Requests to the rclone of the pass, over loopback (https://rclone.org/rc/), each with an end."""

import http.client
import json
import logging
import math
import selectors
import socket
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from zoomsync.destinations.rclone.process import POLL_SECONDS, USER, Rclone
from zoomsync.errors import ServiceUnavailable, Stopped, Unreachable
from zoomsync.files import DOCUMENT_LIMIT
from zoomsync.model import Clock

log = logging.getLogger(__name__)

CALL_SECONDS = 900.0
"""How long one answer may take: rclone's own tries and time-outs end before."""
TOLD_SECONDS = 60.0
"""After so long without an answer the log says, once, what is waited for."""
WATCH_SECONDS = 0.5
STALL_SECONDS = 600.0
"""A transfer of which nothing moves for so long has ended."""
LISTING_SECONDS = 6 * 3600.0
"""How long one list may take: a store that lists one folder a request shows some 50 a second, and one that stands still
is given up by rclone itself."""
ANSWER_LIMIT = 512 << 20
"""Of one list, of a year of an author; a million items are 200 MB."""
NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What rclone answered."""

    status: int
    body: bytes

    @property
    def document(self) -> Mapping[str, Any]:
        """Of a call."""
        found = json.loads(self.body or b"{}")
        return found if isinstance(found, dict) else {}

    @property
    def is_good(self) -> bool:
        """Whether it did what it was asked to do."""
        return self.status == http.client.OK

    @property
    def error(self) -> str:
        """What it says went wrong."""
        try:
            return str(self.document.get("error", f"status {self.status}"))
        except ValueError:
            return f"status {self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Shared by all threads: each request has a connection of its own, and ends with it, at the store too."""

    rclone: Rclone
    clock: Clock
    grace: float = -math.inf
    """Until then, as the clock counts, a request is waited for although the pass is to end."""
    longest: float = math.inf
    """No request is waited for longer than so many seconds."""

    def call(
        self, path: str, *, watch: Callable[[], None] = lambda: None, seconds: float = CALL_SECONDS, **parameters: Any
    ) -> Answer:
        """One call of the API; `watch` is called ten times a second until its answer is there."""
        headers = {"Content-Type": "application/json"}
        fs, name = parameters.get("fs", ""), parameters.get("remote", "")
        look = watch if seconds == math.inf else self._telling(f"{fs}{name}" or path, watch)  # a transfer is told of
        return self._request("POST", f"/{path}", json.dumps(parameters).encode(), headers, look, seconds)

    def put(self, data: bytes, *, fs: str, name: str) -> Answer:
        """Let rclone have a document as a file of this name."""
        edge = self.rclone.new_id()
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        path = f"/operations/uploadfile?{urlencode({'fs': fs, 'remote': ''})}"
        headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        body = head.encode() + data + f"\r\n--{edge}--\r\n".encode()
        return self._request("POST", path, body, headers, lambda: None, CALL_SECONDS)

    def get(self, path: str) -> Answer:
        """What rclone serves there; raises `Unreachable` for what is larger than any document of ours."""
        look = self._telling(unquote(path).strip("/").replace("]/", "", 1).removeprefix("["), lambda: None)
        return self._request("GET", path, b"", {}, look, CALL_SECONDS, DOCUMENT_LIMIT)

    def version(self) -> str:
        """Of the rclone that runs."""
        return str(self.call("core/version", seconds=20).document.get("version", ""))

    def _telling(self, what: str, watch: Callable[[], None]) -> Callable[[], None]:
        """Does what `watch` does, and says once that there was no answer for long."""
        due = [self.clock.monotonic() + TOLD_SECONDS]

        def look() -> None:
            watch()
            if due and self.clock.monotonic() > due[0]:
                due.clear()
                log.info("%s: no answer for %g s, it is waited for", what, TOLD_SECONDS)

        return look

    def _request(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        watch: Callable[[], None],
        seconds: float,
        limit: int = ANSWER_LIMIT,
    ) -> Answer:
        """Raises `Stopped` within a fraction of a second of the wish; rclone then gives up what it was asked for."""
        seconds = min(seconds, self.longest)
        deadline = self.clock.monotonic() + seconds

        def look() -> None:
            try:
                self.clock.check()
            except Stopped:
                if self.clock.monotonic() > self.grace:
                    raise
            watch()
            if self.clock.monotonic() > deadline:
                message = f"rclone: no answer to {path.partition('?')[0]} in {seconds:g} s"
                hint = "the next pass tries again; is the store very slow?"
                raise ServiceUnavailable(message, hint=hint, service="remote")

        signed = b64encode(f"{USER}:{self.rclone.password}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.rclone.port)
        try:
            connection.sock = _Line(self.rclone.port, look)
            connection.request(method, path, body, {**headers, "Authorization": f"Basic {signed}"})
            answer = connection.getresponse()
            data = answer.read(limit + 1)
            if len(data) <= limit and answer.length:  # `read` takes what was cut for whole
                raise http.client.IncompleteRead(data, answer.length)
        except (OSError, http.client.HTTPException) as cause:
            words = self.rclone.last_words
            fact = f"ended: {words}" if words else f"does not answer: {type(cause).__name__}"
            raise Unreachable(f"rclone: {fact}", hint="the next pass starts it again", service="remote") from cause
        finally:
            connection.close()
        if len(data) > limit:
            hint = "look at that file at the remote"
            raise ServiceUnavailable(f"{unquote(path)}: larger than {limit:,} bytes", hint=hint, service="remote")
        return Answer(status=answer.status, body=data)


@dataclass(slots=True, kw_only=True)
class Watched:
    """One transfer, of which rclone counts the bytes."""

    client: Client
    group: str
    moved: Callable[[int], None]
    guard: Callable[[], None]
    name: str
    _bytes: int = 0
    _looked_at: float | None = None
    _moved_at: float = 0.0
    _is_told: bool = False

    def look(self) -> None:
        """Now and then tell what moved; raises `ServiceUnavailable` if nothing moves any more."""
        self.guard()
        now = self.client.clock.monotonic()
        if self._looked_at is None:
            self._looked_at = self._moved_at = now
        if now - self._looked_at < WATCH_SECONDS:
            return
        self._looked_at = now
        if self.tell():
            self._moved_at = now
        elif now - self._moved_at > STALL_SECONDS:
            message = f"{self.name}: nothing moved in {STALL_SECONDS / 60:g} minutes"
            raise ServiceUnavailable(message, hint="the next pass tries again", service="remote")
        elif now - self._moved_at > TOLD_SECONDS and not self._is_told:
            self._is_told = True
            log.info("%s: nothing moved for %g s, it is waited for", self.name, TOLD_SECONDS)

    def tell(self) -> bool:
        """Say what moved since; returns whether anything did."""
        found = int(self.client.call("core/stats", group=self.group).document.get("bytes", 0))
        more, self._bytes = found - self._bytes, found
        if more:
            self.moved(more)
        return more != 0


class _Line(socket.socket):
    """A connection to rclone: whoever waits there for an answer, or for more of one, calls `look` meanwhile."""

    def __init__(self, port: int, look: Callable[[], None]) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._look = look
        self.settimeout(CALL_SECONDS)
        try:
            self.connect(("127.0.0.1", port))
        except OSError:
            self.close()
            raise

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        with selectors.PollSelector() as ends:
            ends.register(self, selectors.EVENT_READ)
            while not ends.select(POLL_SECONDS):
                self._look()
        return super().recv_into(buffer, nbytes, flags)
