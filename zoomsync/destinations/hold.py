"""A pass's hold on a library: its marker and its lock."""

import threading
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from zoomsync.destinations import marker
from zoomsync.destinations.files import Access, make_folders, refusals
from zoomsync.destinations.marker import Known, Marker
from zoomsync.errors import LibraryUnusable, MeetingFailed, PassRunning


class Hold:
    """What makes sure that this is the library that the state knows, and that no other pass works in it."""

    def __init__(self, path: Path) -> None:
        self.changed = False
        """Whether the marker says that this pass changes the library."""
        self._path = path
        self._marker = Marker(id="", state="", pass_number=0, run="")
        self._lock = threading.Lock()
        self._pass_lock: FileLock | None = None

    @property
    def id(self) -> str:
        """The library's id; `""` before it was looked at."""
        return self._marker.id

    @property
    def state(self) -> str:
        """The id of the state that the library belongs to."""
        return self._marker.state

    @property
    def last_change(self) -> tuple[int, str]:
        """The last pass that changed the library, and the id of its run."""
        return self._marker.pass_number, self._marker.run

    def look(self, known: Known, *, begin_new: bool, new_id: str) -> None:
        """Read the marker, writing nothing; raises the misfit that `take` would raise."""
        found = marker.read(self._path)
        problem = marker.misfit(found, known, self._path)
        if problem is not None and not begin_new:
            raise problem
        is_fitting = found is not None and problem is None
        self._marker = found if found and is_fitting else Marker(id=new_id, state=known.state, pass_number=0, run="")

    def take(self, known: Known, *, begin_new: bool, new_id: str, access: Access) -> None:
        """Lock the library, and write the marker of one that begins. Raises `LibraryUnusable`, `PassRunning`."""
        self.look(known, begin_new=begin_new, new_id=new_id)
        self._make_home(access)
        self._take_lock()
        self.look(known, begin_new=begin_new, new_id=new_id)
        if marker.read(self._path) != self._marker:
            marker.record(self._path, self._marker)

    def release(self) -> None:
        """Let go of the lock."""
        if self._pass_lock is not None:
            self._pass_lock.release()
            self._pass_lock = None

    def touch(self, pass_number: int, run: str) -> None:
        """Write down, durably, that this pass changes the library; the first time only."""
        with self._lock:
            if not self.changed:
                self._marker = replace(self._marker, pass_number=pass_number, run=run)
                marker.record(self._path, self._marker)
                self.changed = True

    def confirm(self) -> None:
        """Before anything is written, or a person is said to have removed something: is the library still there?"""
        if self.on_disk() != self.id:
            hint = "is its file system still mounted? check destination.path in the config"
            raise LibraryUnusable(f"{self._path}: library {self.id[:8]} went away during the pass", hint=hint)

    def on_disk(self) -> str:
        """The id in the marker that is there now, `""` without one."""
        found = marker.read(self._path)
        return found.id if found else ""

    def _make_home(self, access: Access) -> None:
        try:
            with refusals(self._path):
                if not self._path.is_dir():
                    make_folders(self._path.parent, self._path, access)
                own = replace(access, dir_mode=access.dir_mode & 0o755)  # nobody else plants anything in there
                make_folders(self._path, self._path / marker.FOLDER, own)
        except MeetingFailed as error:  # here it concerns every meeting
            raise LibraryUnusable(str(error), hint=error.hint) from error

    def _take_lock(self) -> None:
        path = self._path / marker.FOLDER / "lock"
        lock = FileLock(path, timeout=0, thread_local=False)
        with refusals(path):
            try:
                lock.acquire()
            except Timeout as error:
                raise PassRunning(f"{self._path}: another pass is running in this library") from error
        self._pass_lock = lock
