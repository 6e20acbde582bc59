"""Texts from and about servers, made fit to be shown: no secret, no query, no control character. Pure."""

import json
import re
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from zoomsync.formatting import escaped

LONGEST_REASON = 2**18
"""Bytes of an answer that are looked at to find out what it says."""


def host_of(url: str) -> str:
    """The host of a URL, for messages; `?` if it has none."""
    found = re.match(r"[a-zA-Z][\w+.-]*://(?:[^/?#\\]*@)?([^/?#\\@\s]+)", url)
    return escaped(found[1]) if found else "?"


def said(body: bytes, secrets: Collection[str] = ()) -> str:
    """What a server gives as its reason, fit for a message: its JSON's words, a page's title, or what it is not.

    `secrets` are cut out wherever the server repeats them.
    """
    text = body[:LONGEST_REASON].decode("utf-8", "replace").strip()
    document = None
    with suppress(ValueError, RecursionError):
        document = json.loads(text)
    if not isinstance(document, dict):
        text = _without(text, secrets)
        if title := _title(text):
            return f"a page titled “{redact(title)[:100].rstrip()}”"
        return "an HTML page" if text[:200].lower().lstrip("\ufeff").startswith("<") else "no reason given"
    keys = ("message", "errorMessage", "reason", "name", "error", "detail")
    words = next((_text(document[key], secrets) for key in keys if document.get(key)), "no reason given")
    reason = redact(words)[:300]
    # What a portal says more of an error, in texts or in objects that hold some:
    found = document.get("exceptionDetails")
    each = found if isinstance(found, list) else [found] if found else []
    flat = [part for one in each for part in (one.values() if isinstance(one, dict) else [one])]
    if details := "; ".join(str(part) for part in flat if isinstance(part, str | int) and str(part).strip()):
        reason += f": {redact(_without(details, secrets))[:300]}"
    # The number under which a portal's own log has the error:
    if incident := document.get("incidentId"):
        reason += f" (incident {redact(_text(incident, secrets))[:80]})"
    return reason


def _title(page: str) -> str:
    """Of a page; empty: none. No single pattern finds it in a time that does not grow with the square of the page."""
    begin = re.search("<title", page, re.IGNORECASE)
    return page[begin.end() :].partition(">")[2].partition("<")[0].strip() if begin else ""


def _text(value: Any, secrets: Collection[str]) -> str:
    """As text, without secrets wherever in it they are."""

    def cut(part: Any) -> Any:
        if isinstance(part, str):
            return _without(part, secrets)
        if isinstance(part, dict):
            return {_without(name, secrets): cut(one) for name, one in part.items()}
        return [cut(one) for one in part] if isinstance(part, list) else part

    shown = cut(value)
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


def _without(text: str, secrets: Collection[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


_FIELD = r"\w*(?:token|secret|credentials|password|passcode|pwd)"
_KEY = r"(?:(?:shared)?(?:account|access|api|private|secret)_?key|sig(?:nature)?)"
_HEADER = r"(?:x-[\w-]{0,40}token|\w{0,40}_(?:token|secret|password))"
_HIDDEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"""(?i)\b(https?://)(?:[^\s/?#'"<>]*@)?([^\s?#'"<>]*)(?:[?#][^\s'"<>]*)?"""), r"\1\2"),
    (re.compile(r"""(?i)(authorization["']?\s*[:=]\s*["']?)[^"'\r\n,}]+"""), r"\1…"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), r"\1 …"),
    (re.compile(rf"""(?i)(\b{_FIELD}=["']?|["']{_FIELD}["']\s*:\s*["']?)[^\s"'&,}}]+"""), r"\1…"),
    (re.compile(rf"""(?i)(\b{_KEY} ?= ?["']?|\b(?:{_KEY}|{_HEADER})["']? ?: ?["']?)[^\s"'&,;}}]{{4,}}"""), r"\1…"),
    (re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]*)*"), "…"),
    (re.compile(r"""\?[\w.%~-]+=[^\s'")>]*"""), "?…"),
    (re.compile(r"(?<=/)[\w%.~=-]{60,}"), "…"),
)


def redact(text: str) -> str:
    """The text without tokens, authorization, passwords and query strings, control characters escaped."""
    for pattern, instead in _HIDDEN:
        text = pattern.sub(instead, text)
    return escaped(text)
