"""What the first bytes of a download say about it. Pure.

Zoom's "no" often is a web page with status 200: sign-in, passcode, "only the host can download". Seen, undocumented.
"""

import json
from collections.abc import Callable, Mapping

from zoomsync.redaction import said

HEAD = 4096
"""How many bytes are looked at."""
ENOUGH = 64
"""How many bytes tell a video from a page."""

BOM = b"\xef\xbb\xbf"
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<?xml", b"<error")
_ERRORS = ({"code", "message"}, {"error", "reason"}, {"error", "error_description"})
"""Names that error documents of Zoom's API and of its sign-in have."""
_SIGNATURES: Mapping[str, Callable[[bytes], bool]] = {
    "mp4": lambda head: head[4:8] == b"ftyp",
    "m4a": lambda head: head[4:8] == b"ftyp",
    "vtt": lambda head: _begin(head).upper().startswith(b"WEBVTT"),
    "json": lambda head: _begin(head).startswith((b"{", b"[")),
    "jpg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "png": lambda head: head.startswith(b"\x89PNG"),
}
"""By extension: whether a file begins like one of its kind."""


def has_signature(extension: str) -> bool:
    """Whether the first bytes of such a file tell it from anything else."""
    return extension in _SIGNATURES


def refusal_in(head: bytes, extension: str, *, is_page: bool = False) -> str:
    """What a page or an error document says in place of the file; `""`: it is neither.

    With `is_page` it is served as a web page, as a VTT may be (seen, undocumented): then its bytes must show that it is
    none.
    """
    begin = _begin(head)
    if begin.lower().startswith(_PAGES) and extension not in ("html", "htm", "xml"):
        return said(head)
    if is_page and extension not in ("html", "htm"):
        shows = _SIGNATURES[extension](head) if has_signature(extension) else not begin.startswith(b"<")
        if not shows:
            return said(head)
    try:
        document = json.loads(head)
    except (ValueError, RecursionError):
        return ""
    keys = document.keys() if isinstance(document, dict) else set()
    may_be = extension != "json" or len(keys) <= 4  # a document of many names may have these among them
    is_error = {"errorCode", "errorMessage"} <= keys or (may_be and any(error <= keys for error in _ERRORS))
    return said(head) if is_error else ""


def mismatch(head: bytes, extension: str) -> str:
    """Why this is not what its extension says; `""`: it may be."""
    begin = _begin(head)
    if extension in ("mp4", "m4a") and not _SIGNATURES[extension](head):
        return "does not begin like an MP4 file"
    if extension == "vtt" and begin and not _SIGNATURES["vtt"](head) and b"-->" not in begin:
        return "does not begin like a WebVTT file"
    if extension == "json" and not _SIGNATURES["json"](head):
        return "does not begin like a JSON file"
    return ""


def _begin(head: bytes) -> bytes:
    """Without what may stand before the first sign."""
    return head.removeprefix(BOM).lstrip()
