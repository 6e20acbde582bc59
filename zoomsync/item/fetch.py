"""The files of one meeting, fetched to staging at the same time; each is whole and can be played."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Executor, wait
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path

from zoomsync.errors import DownloadFailed, MeetingFailed, Unreachable, Unstitchable, ZoomsyncError
from zoomsync.files import STAGING
from zoomsync.formatting import plural
from zoomsync.http import brief
from zoomsync.media import mp4
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.index import inspect
from zoomsync.model import Arrival, Clock, CloudFile, Fetched, Meeting, Receipt, RecordingFile
from zoomsync.rules.delete import doubt
from zoomsync.rules.layout import extension
from zoomsync.zoom.download import Downloads

log = logging.getLogger(__name__)

TRIES = 2
"""How often a file that arrived damaged is fetched within one pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """Brings files of one meeting to its folder in staging."""

    meeting: Meeting
    stored: Receipt | None
    """What is at the destination."""
    any_size: bool
    """Whether a person wants its video and sound also if they have not the size that Zoom lists."""
    folder: Path
    downloads: Downloads
    transfers: Executor
    """The pool of all meetings."""
    tools: Tools
    clock: Clock
    shown: Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
    """Says what is being done, for who watches."""

    def bring(
        self, files: Iterable[RecordingFile], wrote: Callable[[int], None]
    ) -> Iterator[tuple[RecordingFile, Fetched | MeetingFailed | Unreachable]]:
        """Each file with what came of it. Raises what keeps a video or sound away, and what is no trouble of a file.

        Then none of these files is begun any more, and those on their way come to their end: what arrives lies in
        staging for the next try. Once a text's host could not be reached, the next ones are asked for briefly.
        """
        is_over, is_unreached = threading.Event(), threading.Event()

        def bring(file: RecordingFile) -> Fetched | MeetingFailed | Unreachable | None:
            try:
                once = brief() if is_unreached.is_set() else nullcontext()
                with self.shown(file.label, file.size) as moved, once:
                    return None if is_over.is_set() else self._fetch_proven(file, _both(wrote, moved))
            except ZoomsyncError as problem:
                if isinstance(problem, (MeetingFailed, Unreachable)) and not file.kind.is_media:
                    if isinstance(problem, Unreachable):
                        is_unreached.set()
                    return problem
                is_over.set()
                raise

        ordered = sorted(files, key=lambda file: not file.kind.is_media)
        # Each in a context of its own, so that what holds for this thread (`brief`) holds for the pool's, too.
        futures = [self.transfers.submit(copy_context().run, bring, file) for file in ordered]
        wait(futures, return_when=FIRST_EXCEPTION)
        begun = [(file, future) for file, future in zip(ordered, futures, strict=True) if not future.cancel()]
        wait([future for _, future in begun])
        for file, future in begun:
            found = future.result()  # raises the first failure in the order of the files, not of time
            if found is not None:
                yield file, found

    def _fetch_proven(self, file: RecordingFile, progress: Callable[[int], None]) -> Fetched:
        """A file that is whole and can be played; one that is not is fetched once more.

        What came the same twice is as Zoom has it: it is stored as fetched, for nobody has it any better. If Zoom lists
        no size, it may have been cut twice at the same place.
        """
        before = ""
        for _ in range(TRIES):
            fetched = self._fetch_whole(file, progress)
            if not file.kind.is_media or extension(file) not in ("mp4", "m4a"):
                return fetched
            if not (problem := self._problem(file, fetched)):
                return fetched
            if fetched.sha256 == before:
                log.warning("%s %s: stored as fetched, it came the same twice: %s", file.label, file.id, problem)
                return fetched if file.size is not None else replace(fetched, arrival=Arrival.OPEN)
            before = fetched.sha256
            with STAGING.explained(self.folder):
                fetched.path.unlink(missing_ok=True)
            progress(-fetched.size)
        raise DownloadFailed(f"{file.label} {file.id}: {problem}", hint=mp4.HINT)

    def _problem(self, file: RecordingFile, fetched: Fetched) -> str:
        """Why a video or sound cannot be played, or is more than that; empty if it is as it should be."""
        try:
            rest = mp4.check(fetched.path, fetched.size)
            inspect(self.tools, fetched.path, self.clock)
        except (DownloadFailed, Unstitchable) as problem:
            return str(problem).removeprefix(f"{fetched.path.name}: ")
        if not rest:
            return ""
        said = f"{plural(rest, 'byte')} behind its last atom"
        with STAGING.explained(self.folder):
            if not mp4.is_blank(fetched.path, rest):
                return said
        log.warning("%s %s: stored as fetched, with %s, all zero", file.label, file.id, said)
        return ""

    def _fetch_whole(self, file: RecordingFile, progress: Callable[[int], None]) -> Fetched:
        """A file that is whole, or comes each time as it came, although Zoom lists another size: that is said."""
        cloud = self.stored.cloud if self.stored is not None else ()
        known = next((one.sha256 for one in cloud if one.id == file.id and one.fetched_size != file.size), "")
        fetch = self.downloads.fetch
        fetched = fetch(
            self.meeting, file, self.folder, progress, known=known, any_size=self.any_size, idle=self.transfers
        )
        if unproven := doubt(CloudFile.of(file, fetched, "")):
            log.warning("%s: stored as it comes, its cloud copy stays", unproven)
        return fetched


def _both(first: Callable[[int], None], second: Callable[[int], None]) -> Callable[[int], None]:
    def call(size: int) -> None:
        first(size)
        second(size)

    return call
