"""The library in the config."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from zoomsync.config.base import DestinationSettings, written
from zoomsync.config.types import FileMode, FolderMode, Group, Place
from zoomsync.destinations.base import Destination, DestinationContext


class LibrarySettings(DestinationSettings):
    """The library: a folder that needs no server."""

    is_prospect_free = True  # an author is a folder

    type: Literal["library"] = "library"
    """library: a folder."""
    path: Place = written("./library")
    """The folder; relative to the config file."""
    dir_mode: FolderMode = written("0750")
    """Permissions of its folders, in quotes; or keep: what the mount and the umask give."""
    file_mode: FileMode = written("0640")
    """Permissions of its files, in quotes; or keep."""
    group: Group | None = None
    """The group that its folders and files belong to; by name or number."""

    def build(self, context: DestinationContext) -> Destination:
        """The library; its folder need not exist yet."""
        from zoomsync.destinations.library.destination import LibraryDestination

        return LibraryDestination(self, context)

    def sentence(self) -> str:
        group = f", group {self.group}" if self.group else ""
        modes = (self.dir_mode, self.file_mode)
        folders, files = ("as the mount has them" if mode is None else f"{mode:04o}" for mode in modes)
        return f"publishes to the library {self.path} (folders {folders}, files {files}{group})"

    def selection(self) -> Mapping[str, object]:
        """What makes another library of it; nothing that is at its default."""
        plain = LibrarySettings()
        return {name: value for name, value in self if value != getattr(plain, name)}

    @property
    def storage(self) -> Path:
        return self.path
