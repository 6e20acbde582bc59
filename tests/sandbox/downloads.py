"""Downloads: an address that wants a token and redirects to a signed one, which holds the bytes."""

import hashlib
import hmac
import re
import time

from tests.sandbox.content import Content, Part
from tests.sandbox.message import Answer, Request, html
from tests.sandbox.oauth import Tokens
from tests.sandbox.settings import Settings
from tests.sandbox.world import World, ZoomFile

KEY = b"the sandbox's signing key"
TYPES = {"MP4": "video/mp4", "M4A": "audio/mp4", "VTT": "text/vtt", "JSON": "application/json"}


class Downloads:
    """`/rec/download/ID` and `/ssrweb/ID`."""

    def __init__(self, world: World, settings: Settings, tokens: Tokens) -> None:
        self._world = world
        self._settings = settings
        self._tokens = tokens

    def answer(self, request: Request) -> Answer:
        """The answer to a request for a file."""
        if not (match := re.fullmatch(r"/(rec/download|ssrweb)/([^/]+)", request.path)):
            return html(404, "This page does not exist")
        file = self._world.file(match[2])
        if file is None:
            return html(404, "This recording does not exist")
        return self._signed(request, file) if match[1] == "ssrweb" else self._named(request, file)

    def _named(self, request: Request, file: ZoomFile) -> Answer:
        if not self._tokens.is_good(request.bearer or request.query.get("access_token")):
            return sign_in()
        if file.is_processing:
            return html(200, "This recording is being processed")
        until = f"{time.time() + self._settings.signed_lifetime:.3f}"
        target = f"/ssrweb/{file.id}?Expires={until}&Signature={_sign(file.id, until)}&Key-Pair-Id=SANDBOX"
        return Answer(status=302, headers={"Location": target})

    def _signed(self, request: Request, file: ZoomFile) -> Answer:
        until = request.query.get("Expires", "")
        if not hmac.compare_digest(request.query.get("Signature", ""), _sign(file.id, until)):
            return html(403, "Access Denied", "SignatureDoesNotMatch")
        if float(until) < time.time():
            return html(403, "Access Denied", "Request has expired")
        return self._bytes(request, file)

    def _bytes(self, request: Request, file: ZoomFile) -> Answer:
        etag = f'"{hash(file.content):016x}"'
        head = {"Content-Type": TYPES.get(file.extension.upper(), "application/octet-stream"), "Accept-Ranges": "bytes",
                "Etag": etag,
                "Content-Disposition": f'attachment; filename="{file.id}.{file.extension.lower()}"'}  # fmt: skip
        is_same = request.headers.get("if-range", etag) == etag
        span = byte_range(request.headers.get("range", ""), file.content.size) if is_same else None
        status, content = 200, file.content
        if span == (0, 0):
            return Answer(status=416, headers={"Content-Range": f"bytes */{file.content.size}"})
        if span:
            status, content = 206, _part(file.content, span)
            head["Content-Range"] = f"bytes {span[0]}-{span[1] - 1}/{file.content.size}"
        is_chunked = not self._settings.downloads_have_length
        return Answer(status=status, headers=head, content=content, is_chunked=is_chunked, speed=self._settings.speed)


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Start and stop of a Range header; (0, 0): none of it is there; None: no range asked."""
    if not (match := re.fullmatch(r"bytes=(\d+)-(\d*)", header)):
        return None
    start, stop = int(match[1]), int(match[2] or size - 1) + 1
    return (start, min(stop, size)) if start < min(stop, size) else (0, 0)


def sign_in() -> Answer:
    """Zoom's "no" to a download: a page with status 200."""
    return html(200, "Sign In | Zoom", "<form>Enter the passcode to watch this recording</form>")


def _part(content: Content, span: tuple[int, int]) -> Content:
    return Part(content, *span)


def _sign(name: str, until: str) -> str:
    return hmac.new(KEY, f"{name} {until}".encode(), hashlib.sha256).hexdigest()
