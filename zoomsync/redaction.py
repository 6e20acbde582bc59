"""Texts from and about servers, made fit to be shown: no secret, no query, no control character. Pure."""

import json
import re
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from zoomsync.formatting import escaped


def host_of(url: str) -> str:
    """The host of a URL, for messages; `?` where it has none."""
    found = re.match(r"[a-zA-Z][\w+.-]*://(?:[^/?#\\]*@)?([^/?#\\@\s]+)", url)
    return escaped(found[1]) if found else "?"


def said(body: bytes, secrets: Collection[str] = ()) -> str:
    """What a server gives as its reason, fit for a message: its JSON's words, a page's title, or what it is not.

    `secrets` are cut out wherever it says back what it was told.
    """
    text = body.decode("utf-8", "replace").strip()
    document = None
    with suppress(ValueError, RecursionError):
        document = json.loads(text)
    if isinstance(document, dict):
        keys = ("message", "errorMessage", "reason", "name", "error", "detail")
        words = [_text(document[key], secrets) for key in keys if document.get(key)]
        reason = redact(words[0])[:300] if words else "no reason given"
        return f"{reason}{_details(document, secrets)}{_incident(document, secrets)}"
    text = _without(text, secrets)
    if title := re.search(r"<title[^>]*>\s*([^<]+)", text, re.IGNORECASE):
        return f"a page titled “{redact(title[1].strip())[:100].rstrip()}”"
    return "an HTML page" if text[:200].lower().lstrip("\ufeff").startswith("<") else "no reason given"


def _details(document: dict[str, Any], secrets: Collection[str]) -> str:
    """What a portal says more of an error, texts or objects that hold some."""
    found = document.get("exceptionDetails")
    each = found if isinstance(found, list) else [found] if found else []
    flat = [text for one in each for text in (one.values() if isinstance(one, dict) else [one])]
    words = "; ".join(str(text) for text in flat if isinstance(text, str | int) and str(text).strip())
    return f": {redact(_without(words, secrets))[:300]}" if words else ""


def _text(value: Any, secrets: Collection[str]) -> str:
    """As text, without secrets wherever in it they are."""
    cut = _cut(value, secrets)
    return cut if isinstance(cut, str) else json.dumps(cut, ensure_ascii=False)


def _cut(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, str):
        return _without(value, secrets)
    if isinstance(value, dict):
        return {_without(name, secrets): _cut(one, secrets) for name, one in value.items()}
    return [_cut(one, secrets) for one in value] if isinstance(value, list) else value


def _without(text: str, secrets: Collection[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def _incident(document: dict[str, Any], secrets: Collection[str]) -> str:
    """The number under which a portal's own log tells more of an error."""
    incident = document.get("incidentId")
    return f" (incident {redact(_text(incident, secrets))[:80]})" if incident else ""


_FIELD = r"\w*(?:token|secret|credentials|password|passcode|pwd)"
_HIDDEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"""(?i)\b(https?://)(?:[^\s/?#'"<>]*@)?([^\s?#'"<>]*)(?:[?#][^\s'"<>]*)?"""), r"\1\2"),
    (re.compile(r"""(?i)(authorization["']?\s*[:=]\s*["']?)[^"'\r\n,}]+"""), r"\1…"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), r"\1 …"),
    (re.compile(rf"""(?i)(\b{_FIELD}=["']?|["']{_FIELD}["']\s*:\s*["']?)[^\s"'&,}}]+"""), r"\1…"),
    (re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]*)*"), "…"),
    (re.compile(r"""\?[\w.%~-]+=[^\s'")>]*"""), "?…"),
    (re.compile(r"(?<=/)[\w%.~=-]{60,}"), "…"),
)


def redact(text: str) -> str:
    """The text without tokens, authorization, passwords and query strings, control characters escaped."""
    for pattern, instead in _HIDDEN:
        text = pattern.sub(instead, text)
    return escaped(text)
