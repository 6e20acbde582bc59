"""A config for zoomsync that points at a sandbox."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.sandbox.settings import Settings
from tests.sandbox.world import ACCOUNT, World


def config_for(url: str, settings: Settings, world: World) -> dict[str, Any]:
    """The config as a mapping, its paths relative to where it is stored."""
    return {
        "zoom": {
            "account_id": ACCOUNT,
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "api_url": f"{url}/v2",
            "oauth_url": f"{url}/oauth/token",
            "download_hosts": ["127.0.0.1"],
            "rate": 50,
        },
        "recordings": {"since": str((world.now - timedelta(days=60)).date())},
        "destination": {"type": "library", "path": "./library"},
        "state": "./state/state.json",
    }


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings as one; `above` wins, and mappings within are merged likewise."""
    both = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], Mapping) and isinstance(above[key], Mapping):
            both[key] = laid_over(below[key], above[key])
    return both
