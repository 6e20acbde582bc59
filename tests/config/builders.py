"""What the tests of the config share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from zoomsync.config import Config, load, parse
from zoomsync.destinations.library.settings import LibrarySettings
from zoomsync.errors import ConfigError

CREDENTIALS = "zoom: {account_id: an-account, client_id: a-client, client_secret: hunter2}\n"
AT = Path("/srv/zoomsync/config.yaml")


def a_config(environ: Mapping[str, str] | None = None, at: Path = AT, **keys: Any) -> Config:
    """A config with credentials and these top-level keys, as if read from `at`."""
    credentials = {"account_id": "an-account", "client_id": "a-client", "client_secret": "hunter2"}
    zoom = {**credentials, **keys.pop("zoom", {})}
    return parse({"zoom": zoom, **keys}, at, environ or {})


def library_of(config: Config) -> LibrarySettings:
    """Its destination, which is a library."""
    assert isinstance(config.destination, LibrarySettings)
    return config.destination


def a_file(folder: Path, text: str, name: str = "config.yaml", mode: int = 0o600) -> Path:
    """A file as a person would have written it."""
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def refusal(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> ConfigError:
    """What loading this text raises."""
    with pytest.raises(ConfigError) as caught:
        load(a_file(folder, text), environ or {})
    return caught.value


def problems(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """What a user reads about this text, with `<folder>` for the folder."""
    return [problem.replace(str(folder), "<folder>") for problem in refusal(folder, text, environ).problems]
