"""The part of a config for zoomsync that points at a portal."""

from collections.abc import Mapping
from typing import Any

from tests.sandbox.config import laid_over
from tests.sandbox.portal.settings import PortalSettings


def destination_for(url: str, settings: PortalSettings, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """`destination` as a mapping; mappings in `overrides` are laid over key by key."""
    own = {"type": "vidizmo", "url": url, "email": settings.email, "password": settings.password}
    if settings.application_id is not None:
        own["application_id"] = settings.application_id
    return laid_over(own, overrides)
