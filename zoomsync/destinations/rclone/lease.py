"""Whose remote it is, as its marker says; and a lease in the marker, since a store has no locks.

The pass that changes the remote says in the marker until when it works there, and says it again before half of that is
over. Another pass keeps away so long, and longer by what two clocks may differ. A pass that died left its lease behind:
the next one of its state takes the remote over at once if that run is over for sure. To know the run is not enough: the
state may be a copy that was made while the pass worked. Whoever finds that another took the remote over stops: the
marker is read again before each item is completed.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from shlex import quote

from zoomsync.destinations.base import NEW_LIBRARY, Attachment
from zoomsync.destinations.layout import TOPS
from zoomsync.destinations.marker import FOLDER, NAME, UNSEEN, Marker, Root, working_marker
from zoomsync.destinations.rclone.remote import Remote
from zoomsync.errors import LibraryUnusable, PassRunning, ServiceUnavailable
from zoomsync.formatting import moment
from zoomsync.model import MINUTE, Clock

LEASE = 30 * MINUTE
SKEW = 20 * MINUTE
"""By so much two clocks may differ: a pass whose clock is 10 minutes off Zoom's does not begin."""
GRACE_SECONDS = 3.0
"""So long a pass that is told to end still tries to give the remote back: else others keep away for LEASE and SKEW."""
RELEASE_SECONDS = 60.0
"""So long each request may take by which a pass gives the remote back: a store that hangs does not keep it."""
PATH = f"{FOLDER}/{NAME}"


@dataclass(slots=True)
class Lease:
    """The remote as this pass holds it. Shared by all threads."""

    remote: Remote
    clock: Clock
    note_all: Callable[[], None]
    """Writes down what lies in the remote."""
    marker: Marker = UNSEEN
    """As this pass found it, or left it; without an id before the remote was looked at."""
    is_new: bool = True
    """Whether there is no marker yet, as nothing is to be written."""
    is_ahead: bool = False
    """Whether it may hold items that the state does not know: it is new to the state, or the state has not seen the end
    of the pass that changed it last."""
    _pass: tuple[int, str] = (0, "")
    """The number of this pass, and the id of its run; of one that changes nothing ("")."""
    _is_noted: bool = False
    _is_changed: bool = False
    """Whether the marker says that this pass changes the remote."""
    _is_held: bool = False
    """Whether the marker has a lease that is to be given back."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def look(self, attachment: Attachment) -> None:
        """Read the marker; write that of one that begins or is taken over. Raises `LibraryUnusable`, `PassRunning`."""
        folders = self.remote.folders()
        is_encrypted = self.remote.abilities is not None and self.remote.abilities.is_encrypted
        secret = " is the password of the crypt remote the right one?" if is_encrypted else ""
        root = Root(
            name=self.remote.root,
            key="destination.remote",
            is_there=folders is not None,
            has_tops=bool(set(TOPS) & set(folders or ())),
            if_away=f"is the bucket or folder still there?{secret}",
            if_other=f"does the remote lead to the right place?{secret}",
            if_emptied=f"`echo | {self.remote.command} rcat {quote(self.remote.name('published/kept'))}`",
            service="remote",
        )
        found = self._read()  # even if no list shows it: another's is never replaced
        # a dry run disturbs no pass of its state
        harmless = attachment.runs if attachment.dry_run else attachment.over
        if found and found.held_till and found.run not in harmless:
            until = found.held_till + SKEW
            if until > self.clock.now():
                message = f"{self.remote.root}: another pass (run {found.run}) works in this remote"
                hint = f"it ends by itself; if that machine died, this may go on at {moment(until)}"
                raise PassRunning(message, hint=hint, service="remote")
        self.is_new = found is None and attachment.dry_run
        self.marker = working_marker(found, attachment, root)
        self._is_held = self.marker.held_till is not None and not attachment.dry_run
        is_seen = not self.marker.pass_number or self.marker.run in attachment.ended
        self.is_ahead = self.marker != found or not is_seen
        self._pass = (attachment.pass_number, attachment.run)
        if attachment.dry_run and found and found.id == self.marker.id:
            self.marker = found  # also of one that would be taken over: nothing is written
        elif not attachment.dry_run:
            if found is None:  # any pass may go on with an adoption of it
                attachment.adopting(NEW_LIBRARY)
            if self.marker != found or attachment.adopt:
                self._note()
            if found is not None:
                attachment.adopting(found.id)
            if self.marker != found:
                self._write(self.marker)

    def begin_change(self) -> None:
        """Before a change; the first one, and one after half of the lease is over, say that this pass works here."""
        with self._lock:
            if not self._is_changed or self._is_half_over():
                self.confirm()
                marker = self.marker if self._is_changed else self.marker.changed_by(*self._pass)
                self._is_changed = False  # until the marker is written, nothing is held that could be over
                self._note()
                self._write(replace(marker, held_till=self.clock.now() + LEASE))
                self._is_changed = self._is_held = True

    def confirm(self) -> None:
        """Raises `LibraryUnusable` if the remote is not as this pass left it: gone, or taken by another pass."""
        with self._lock:
            found = self._read()
            if found is None and self.is_new:
                return
            if found is None or (found.id, found.state) != (self.marker.id, self.marker.state):
                hint = "does the remote still lead to the same place? check destination.remote in the config"
                message = f"{self.remote.root}: library {self.marker.id[:8]} went away during the pass"
                raise LibraryUnusable(message, hint=hint, service="remote")
            if found.run != self.marker.run:
                message = f"{self.remote.root}: another pass (run {found.run}) took this remote over"
                hint = "let no copy of this state work in it; the next pass of the newer state goes on"
                raise LibraryUnusable(message, hint=hint, service="remote")

    def check(self) -> None:
        """While the store is waited for: raises `ServiceUnavailable` once the lease is over, as another may begin then.

        That happens to a machine that slept; while it works, the lease is renewed in time.
        """
        until = self.marker.held_till
        if self._is_changed and until is not None and self.clock.now() > until:
            message = (
                f"{self.remote.root}: it was this pass's until {moment(until)}, what it was sending then is given up"
            )
            hint = "did this machine sleep? the next pass sends it again"
            raise ServiceUnavailable(message, hint=hint, service="remote")

    def release(self) -> None:
        """Say that this pass has ended, unless another took the remote over: then that one's marker stays."""
        with self._lock:
            if self._is_held:
                self._is_held = False
                grace = self.clock.monotonic() + GRACE_SECONDS
                client = replace(self.remote.client, grace=grace, longest=RELEASE_SECONDS)
                self.remote = replace(self.remote, client=client)
                self.confirm()
                self._is_changed = False
                self._write(replace(self.marker, held_till=None))

    def _is_half_over(self) -> bool:
        until = self.marker.held_till
        return until is None or until - self.clock.now() < LEASE / 2 or until - self.clock.now() > LEASE

    def _read(self) -> Marker | None:
        data = self.remote.read(PATH)
        return None if data is None else Marker.parse(data, self.remote.name(PATH), service="remote")

    def _note(self) -> None:
        """Before the marker says that all is as the state knows it."""
        if self.is_ahead and not self._is_noted:
            self.note_all()
            self._is_noted = True

    def _write(self, marker: Marker) -> None:
        self.remote.write(PATH, marker.document)
        self.marker = marker
