"""Staging: what passes left there for meetings that are not open any more is removed."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from zoomsync.disk import explained
from zoomsync.model import Entry, Phase
from zoomsync.naming import suffix


def tidy(folder: Path, entries: Iterable[Entry]) -> None:
    """Remove the staging folders of meetings that are not open; nothing else is touched. Raises `Unfit`."""
    keep = {suffix(entry.uuid) for entry in entries if entry.phase is Phase.WAITING or entry.retry or entry.pending}
    with explained(folder):
        for one in folder.iterdir() if folder.is_dir() else ():
            if one.is_dir() and not one.is_symlink() and _is_ours(one.name) and one.name not in keep:
                shutil.rmtree(one)


def _is_ours(name: str) -> bool:
    return len(name) == 8 and all(c in "0123456789abcdef" for c in name)
