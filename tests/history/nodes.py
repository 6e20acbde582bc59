"""Files and folders as a disk surely has them, and what a power cut makes of the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias


@dataclass(eq=False, slots=True)
class Node:
    """A file or a folder."""

    data: bytes | None = None
    """What a file surely has; None: all that is in it."""
    last: bytes = b""
    """What was in it when its last name went."""
    names: "dict[str, Node] | None" = None
    """The names that a folder surely has; None: it is a file."""


Change: TypeAlias = list[tuple[Node, str, Node | None]]
"""Of names: folder, name, what it stands for from then on. A rename is two in one."""


def apply(change: Change) -> None:
    for folder, name, node in change:
        assert folder.names is not None
        if node is None:
            folder.names.pop(name, None)
        else:
            folder.names[name] = node


def remains(node: Node, now: bytes, random: Random, *, everything: bool) -> bytes:
    """What is in a file after a power cut: as it was flushed, as it is, or what lies between."""
    if node.data is None or node.data == now:
        return now
    sure = node.data if now.startswith(node.data) else b""
    rest = now[len(sure) :]
    torn = [rest, rest[: len(rest) // 2], rest[: len(rest) // 2] + bytes(len(rest) - len(rest) // 2), bytes(len(rest))]
    return node.data if everything else random.choice([node.data, *(sure + one for one in torn)])


def write(node: Node, path: Path, content: Callable[[Node], bytes]) -> None:
    if node.names is None:
        path.write_bytes(content(node))
        return
    path.mkdir()
    for name, one in node.names.items():
        write(one, path / name, content)
