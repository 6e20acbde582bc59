"""A disk that can fail: it counts the steps of a pass, strikes at one of them, and loses what was not flushed.

It watches a real folder. A file keeps what was in it at its last `fsync`, a folder the names that it had at its own. Of
the rest a power cut takes what it likes: of the changes of one folder the latest first, of a rename both halves or
none, of what was written behind what was flushed any part, or it comes back as zeros. Between passes all is flushed.
"""

import errno
import fcntl
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from tests.history.nodes import Change, Node, apply, remains, write

WRITING = os.O_WRONLY | os.O_RDWR


class Gone(BaseException):
    """The process was killed, or the machine lost its power: nothing after this happens."""


class Blow(Enum):
    """What comes at a step."""

    KILL = "kill"
    POWER = "power cut"
    FULL = "no room from here on"
    IO = "one input/output error"


@dataclass(frozen=True, slots=True)
class Strike:
    """What comes, and when."""

    blow: Blow
    step: int
    """Counted from 1; before that, all goes well."""
    of: str = ""
    """If set, steps of this name alone are counted: one of `CALLS`, or `request`."""


@dataclass(eq=False, slots=True)
class Disk:
    """What lies in `root`, as of the last flush and now."""

    root: Path
    strike: Strike | None = None
    steps: int = 0
    is_over: bool = False
    is_full: bool = False
    at_end: Callable[[], None] = lambda: None
    """Called when the process dies."""
    _locked: set[int] = field(default_factory=set)
    """Descriptors."""
    live: dict[int, Node] = field(default_factory=dict)
    """By inode."""
    _top: Node = field(default_factory=Node)
    changes: list[Change] = field(default_factory=list)
    """What is not flushed of names, oldest first."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """All that happens in the folder during a pass; raises what `strike` brings."""
        self.live, self.changes, self.steps = {}, [], 0
        self.is_over = self.is_full = False
        self._top = self._found(self.root)
        self._locked.clear()
        replaced = {name: getattr(self, f"_{name}") for name in CALLS}
        real = {name: getattr(os, name) for name in CALLS}
        flock = patch.object(fcntl, "flock", _around(self._flock, fcntl.flock))
        with flock, patch.object(io, "open", self._opener(io.open)):
            for name, ours in replaced.items():
                setattr(os, name, _around(ours, real[name]))
            try:
                yield
            finally:
                for name, theirs in real.items():
                    setattr(os, name, theirs)
                for descriptor in self._locked:  # of a dead process
                    os.close(descriptor)

    def step(self, name: str) -> None:
        """Before anything that the outside can see."""
        if self.is_over:
            raise Gone
        strike = self.strike
        if strike is None or strike.of not in ("", name):
            return
        self.steps += 1
        if self.steps != strike.step:
            return
        match strike.blow:
            case Blow.KILL | Blow.POWER:
                self.at_end()
                self.is_over = True
                raise Gone
            case Blow.IO:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            case Blow.FULL:
                self.is_full = True

    def room(self, name: str) -> None:
        self.step(name)
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def is_flushed(self, folder: Path) -> bool:
        """Whether a power cut now could take nothing of a folder, its own name included."""
        above = [one for one in folder.parents if one.is_relative_to(self.root)]
        folders = {self.node(path) for path in (*map(str, above), *(path for path, _, _ in os.walk(folder)))}
        if any(node in folders for change in self.changes for node, _, _ in change):
            return False
        files = [(self.node(str(path)), path) for path in files_in(folder)]
        return all(node is None or node.data in (None, path.read_bytes()) for node, path in files)

    def lose(self, random: Random, *, everything: bool) -> None:
        """What a power cut leaves takes the place of the folder."""
        dropped: set[Node] = set()
        for change in self.changes:
            folders = {node for node, _, _ in change}
            if not dropped.isdisjoint(folders) or everything or random.random() < 0.5:
                dropped |= folders
            else:
                apply(change)
        contents = {
            node: path.read_bytes() for path in files_in(self.root) if (node := self.node(str(path))) is not None
        }
        left = self.root.with_name(f"{self.root.name}.left")
        shutil.rmtree(left, ignore_errors=True)
        write(self._top, left, lambda node: remains(node, contents.get(node, node.last), random, everything=everything))
        shutil.rmtree(self.root)
        left.rename(self.root)

    # what is called in place of the system's own

    def _found(self, path: Path | str) -> Node:
        top = Node(names={})
        self.live[Path(path).stat().st_ino] = top
        assert top.names is not None
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                top.names[entry.name] = self._found(entry.path)
            else:
                top.names[entry.name] = self.live.setdefault(entry.inode(), Node())
        return top

    def _holds(self, path: Any, dir_fd: int | None = None) -> str | None:
        """The absolute path if it lies in the folder."""
        if not isinstance(path, str | os.PathLike):
            return None
        where = os.fspath(path)
        if dir_fd is not None:
            where = f"{Path(f'/proc/self/fd/{dir_fd}').readlink()}/{where}"
        return where if isinstance(where, str) and where.startswith(f"{self.root}/") else None

    def node(self, path: str) -> Node | None:
        try:
            return self.live.get(os.lstat(path).st_ino)
        except OSError:
            return None

    def _about_to_write(self, path: str) -> None:
        node = self.node(path)
        if node is not None and node.names is None and node.data is None:
            node.data = Path(path).read_bytes()

    def named(self, path: str, node: Node | None) -> tuple[Node, str, Node | None]:
        folder, name = os.path.split(path)
        parent = self.node(folder)
        assert parent is not None, f"{folder} was made unseen"
        return parent, name, node

    def made(self, path: str, node: Node) -> None:
        self.live[os.lstat(path).st_ino] = node
        self.changes.append([self.named(path, node)])

    def _leaves(self, path: str) -> None:
        """One of its names goes."""
        status = os.lstat(path)
        node = self.live.get(status.st_ino)
        if node is not None and node.names is None:
            node.last = Path(path).read_bytes()
        if node is not None and (node.names is not None or status.st_nlink == 1):
            del self.live[status.st_ino]

    def _opener(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, mode: str = "r", *more: Any, **options: Any) -> Any:
            path = self._holds(file)
            if path is None or not set(mode) & set("wax+"):
                return real(file, mode, *more, **options)
            return self._opened(path, lambda: real(file, mode, *more, **options))

        return opened

    def _flock(self, real: Callable[..., Any], descriptor: int, how: int) -> None:
        real(descriptor, how)
        if (node := self.live.get(os.fstat(descriptor).st_ino)) is not None:
            self._locked.add(descriptor)
            node.data = None  # nobody relies on what a lock's file says

    def _close(self, real: Callable[..., Any], descriptor: int) -> None:
        self._locked.discard(descriptor)
        real(descriptor)

    def _opened(self, path: str, call: Callable[[], Any]) -> Any:
        self.room("open")
        is_new = not os.path.lexists(path)
        if not is_new:
            self._about_to_write(path)
        done = call()
        if is_new:
            self.made(path, Node(data=b""))
        return done

    def _open(self, real: Callable[..., Any], path: Any, flags: int, *more: Any, **options: Any) -> Any:
        held = self._holds(path, options.get("dir_fd"))
        if held is None or not flags & (WRITING | os.O_CREAT):
            return real(path, flags, *more, **options)
        return self._opened(held, lambda: real(path, flags, *more, **options))

    def _write(self, real: Callable[..., Any], fd: int, data: Any) -> Any:
        if os.fstat(fd).st_ino not in self.live:
            return real(fd, data)
        was_over = self.is_over
        try:
            self.room("write")
        except Gone:
            if not was_over:  # a half of it came through
                real(fd, bytes(data)[: len(data) // 2])
            raise
        return real(fd, data)

    def _ftruncate(self, real: Callable[..., Any], fd: int, size: int) -> Any:
        if os.fstat(fd).st_ino in self.live:
            self.step("ftruncate")
        return real(fd, size)

    def _fsync(self, real: Callable[..., Any], fd: int) -> Any:
        node = self.live.get(os.fstat(fd).st_ino)
        if node is None:
            return real(fd)
        self.room("fsync")
        if node.names is None:
            node.data = Path(f"/proc/self/fd/{fd}").read_bytes()
        else:
            self.flush(node)
        return None

    def flush(self, folder: Node) -> None:
        """The names of a folder are safe from now on, and what had to come before."""
        needed, wanted = {folder}, []
        for change in reversed(self.changes):
            folders = {node for node, _, _ in change}
            if not needed.isdisjoint(folders):
                needed |= folders
                wanted.append(change)
        for change in reversed(wanted):
            apply(change)
            self.changes.remove(change)

    def _mkdir(self, real: Callable[..., Any], path: Any, *more: Any, **options: Any) -> Any:
        held = self._holds(path, options.get("dir_fd"))
        if held is None:
            return real(path, *more, **options)
        self.room("mkdir")
        done = real(path, *more, **options)
        self.made(held, Node(names={}))
        return done

    def _replace(self, real: Callable[..., Any], source: Any, target: Any, **options: Any) -> Any:
        old, new = self._holds(source), self._holds(target)
        if old is None or new is None:
            return real(source, target, **options)
        self.step("replace")
        node = self.node(old)
        if os.path.lexists(new):
            self._leaves(new)
        done = real(source, target, **options)
        self.changes.append([self.named(old, None), self.named(new, node)])
        return done

    _rename = _replace

    def _unlink(self, real: Callable[..., Any], path: Any, **options: Any) -> Any:
        held = self._holds(path, options.get("dir_fd"))
        if held is None or not os.path.lexists(held):
            return real(path, **options)
        self.step("unlink")
        self._leaves(held)
        done = real(path, **options)
        self.changes.append([self.named(held, None)])
        return done

    _remove = _unlink

    def _rmdir(self, real: Callable[..., Any], path: Any, **options: Any) -> Any:
        held = self._holds(path, options.get("dir_fd"))
        if held is None:
            return real(path, **options)
        self.step("rmdir")
        inode = os.lstat(held).st_ino
        done = real(path, **options)
        self.live.pop(inode, None)
        self.changes.append([self.named(held, None)])
        return done

    def _link(self, real: Callable[..., Any], source: Any, target: Any, **options: Any) -> Any:
        old, new = self._holds(source), self._holds(target)
        if old is None or new is None:
            return real(source, target, **options)
        self.room("link")
        done = real(source, target, **options)
        self.changes.append([self.named(new, self.node(old))])
        return done


CALLS = (
    "open",
    "close",
    "write",
    "ftruncate",
    "fsync",
    "mkdir",
    "replace",
    "rename",
    "unlink",
    "remove",
    "rmdir",
    "link",
)


def files_in(folder: Path) -> list[Path]:
    """All files below a folder."""
    return sorted(Path(path, name) for path, _, names in os.walk(folder) for name in names)


def _around(ours: Callable[..., Any], real: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **options: Any) -> Any:
        return ours(real, *arguments, **options)

    return called
