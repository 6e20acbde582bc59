"""What the first bytes of a download say about it. Pure.

Zoom's "no" often is a web page with status 200: sign-in, passcode, "only the host can download". Seen, undocumented.
"""

import json

from zoomsync.redaction import said

HEAD = 4096
"""How many bytes are looked at."""
ENOUGH = 64
"""How many bytes tell a video from a page."""

BOM = b"\xef\xbb\xbf"
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<?xml", b"<error")


def refusal_in(head: bytes, extension: str) -> str:
    """What a page or an error document says in place of the file; `""`: it is neither."""
    begin = head.removeprefix(BOM).lstrip()
    if begin.lower().startswith(_PAGES) and extension not in ("html", "htm", "xml"):
        return said(head)
    try:
        document = json.loads(head)
    except (ValueError, RecursionError):
        return ""
    keys = document.keys() if isinstance(document, dict) else set()
    is_error = {"errorCode", "errorMessage"} <= keys or ({"code", "message"} <= keys and len(keys) <= 4)
    return said(head) if is_error else ""


def mismatch(head: bytes, extension: str) -> str:
    """Why this is not what its extension says; `""`: it may be."""
    begin = head.removeprefix(BOM).lstrip()
    if extension in ("mp4", "m4a") and head[4:8] != b"ftyp":
        return "does not begin like an MP4 file"
    if extension == "vtt" and begin and not begin.upper().startswith(b"WEBVTT") and b"-->" not in begin:
        return "does not begin like a WebVTT file"
    if extension == "json" and not begin.startswith((b"{", b"[")):
        return "does not begin like a JSON file"
    return ""
