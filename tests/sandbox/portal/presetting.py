"""The fields that the portal's own Default Publish Settings rule: viewing access, download, comments, sharing. Pure."""

import re
from typing import Any

PUBLISH_SETTING = re.compile(r"viewing_?access|download|comment|shar", re.IGNORECASE)


def publish_settings(document: Any, path: str = "") -> dict[str, Any]:
    """Those in a document, at any depth, by path: `content.allowDownload`, `tags.0.isShared`."""
    found = {}
    for name, value in _parts(document):
        if isinstance(document, dict) and PUBLISH_SETTING.search(name):
            found[f"{path}{name}"] = value
        else:
            found |= publish_settings(value, f"{path}{name}.")
    return found


def without_publish_settings(document: Any) -> Any:
    """The document without those."""
    if isinstance(document, list):
        return [without_publish_settings(one) for one in document]
    if not isinstance(document, dict):
        return document
    kept = {name: value for name, value in document.items() if not PUBLISH_SETTING.search(name)}
    return {name: without_publish_settings(value) for name, value in kept.items()}


def _parts(document: Any) -> list[tuple[str, Any]]:
    if isinstance(document, dict):
        return list(document.items())
    return [(str(place), one) for place, one in enumerate(document)] if isinstance(document, list) else []
