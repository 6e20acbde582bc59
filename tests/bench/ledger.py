"""What it costs to remember many meetings: memory of a pass and of `status`, room on the disk, time to open."""

import base64
import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from tests.bench.counted import command, compiled, traced, used
from tests.bench.growth import NOTHING_NEW, Growth, cost, count_in_short, draw
from tests.bench.marks import Row
from tests.bench.table import IS_QUICK, MB
from tests.crash.place import Place, ended, serving
from tests.fakes import a_cloud_file, a_file, a_meeting, a_receipt, an_entry
from tests.sandbox.settings import wall_clock
from tests.sandbox.worlds import small_world
from zoomsync.model import Entry, Kind, Phase, Role, StoredFile
from zoomsync.naming import suffix
from zoomsync.state import State
from zoomsync.state.database import beside

COUNTS = (1_000, 10_000) if IS_QUICK else (1_000, 10_000, 100_000, 1_000_000)
MARKED = COUNTS[-1:] if IS_QUICK else COUNTS[-2:]
"""Those that have marks."""
STATUS = "status"
HOSTS = 500
BATCH = 1_000


def run(folder: Path) -> Iterator[Row]:
    """Draw how it grows: a state of two files a meeting, a third of an hour from one to the next; nothing is open."""
    with serving(Place(folder / "place", small_world(wall_clock()))) as place:
        for _ in range(2):  # the second one writes once that all is stored
            assert ended(place.command("-q", "sync"))[0] == 0
        grown: Growth = {NOTHING_NEW: [], STATUS: []}
        for known, count in pairwise((0, *COUNTS)):
            remember(place.state, range(known, count), place.sandbox.world.now)
            grown[NOTHING_NEW].append((count, cost(place, "-q", "sync")))
            grown[STATUS].append((count, cost(place, "status")))
            if count in MARKED:
                yield from _costs(place, count)
        draw("remembered", "meetings remembered", count_in_short, grown)


def _costs(place: Place, count: int) -> Iterator[Row]:
    what, environ = f"{count:,} meetings remembered: ", compiled(place)
    for name, arguments, before in (("pass, nothing new", ("-q", "sync"), "825"), ("status", ("status",), "")):
        peak = used(command(place, *arguments), environ).peak / MB
        yield Row(what=f"{what}memory of {name}", before=before and f"{before} MB", now=peak, most=80, unit="MB")
    yield Row(what=f"{what}to open it", before="2.4 s", now=_open_seconds(place.state), most=0.1, unit="s")
    if count <= 100_000:
        size = beside(place.state).stat().st_size / MB
        yield Row(what=f"{what}on the disk", before="124 MB", now=size, most=60, unit="MB")
    calls = traced(command(place, "-q", "sync"), environ)
    yield Row(what=f"{what}fsyncs of a pass with nothing new", before="12", now=calls.flushes, most=4)


def _open_seconds(path: Path) -> float:
    """The least of several, as others use the machine too."""
    found = []
    for _ in range(5):
        begun = time.perf_counter()
        assert State.read(path) is not None
        found.append(time.perf_counter() - begun)
    return min(found)


def remember(path: Path, numbers: range, now: datetime) -> None:
    """Put these into the ledger of a state, as stored in its destination long ago."""
    with State.open(path, new_id="0" * 32) as state:
        some = (numbers[first : first + BATCH] for first in range(0, len(numbers), BATCH))
        for batch in some:
            state.put(*entries(batch, state.head.destination, now - timedelta(days=60)))


def entries(numbers: Iterable[int], destination: str, until: datetime) -> Iterator[Entry]:
    """Meetings as an archive has them: a video and a transcript each, stored and deleted from Zoom or only stored."""
    for number in numbers:
        yield _entry(number, destination, until - timedelta(minutes=20 * number))


def _entry(number: int, destination: str, start: datetime) -> Entry:
    def digest(*of: object) -> str:
        return hashlib.sha256(repr((number, *of)).encode()).hexdigest()

    uuid = base64.b64encode(bytes.fromhex(digest("uuid"))[:16]).decode()
    host, end = f"firstname.lastname{number % HOSTS}@example.org", start + timedelta(minutes=50)
    video = a_file(id=str(UUID(digest(1)[:32])), size=int(digest(1)[:7], 16) + 1, start=start, end=end)
    text = {"kind": Kind.CAPTIONS, "type": "TRANSCRIPT", "extension": "vtt", "view": "audio_transcript"}
    words = a_file(id=str(UUID(digest(2)[:32])), size=int(digest(2)[:4], 16) + 1, start=start, end=end, **text)
    meeting = a_meeting(
        uuid=uuid,
        number=str(80_000_000_000 + int(digest("number")[:8], 16)),
        host_id=hashlib.sha256(host.encode()).hexdigest()[:22],
        host_email=host,
        topic=f"Lecture {number}: introduction to things",
        start=start,
        files=(video, words),
    )
    receipt = a_receipt(
        meeting,
        destination=destination,
        author=host,
        place=f"published/{host}/{start:%Y/%Y-%m-%d %H-%M} {meeting.topic} [{suffix(uuid)}]",
        files=(
            StoredFile(
                name="video.mp4", role=Role("video"), size=video.size or 0, sha256=digest("video"), made_of=(video.id,)
            ),
            StoredFile(
                name="captions.vtt",
                role=Role("captions"),
                size=words.size or 0,
                sha256=digest("captions"),
                made_of=(words.id,),
            ),
        ),
        cloud=(
            replace(a_cloud_file(video, sha256=digest("video")), end=end, extension="mp4"),
            replace(a_cloud_file(words, sha256=digest("words"), stored="captions.vtt"), end=end, extension="vtt"),
        ),
    )
    stored_at = start + timedelta(hours=2)
    facts = {"receipt": receipt, "stored_at": stored_at, "first_seen": stored_at, "changed_at": stored_at}
    if number % 2:
        return an_entry(meeting, phase=Phase.PUBLISHED, reason=f"stored {stored_at:%Y-%m-%d %H:%M} UTC", **facts)
    deleted_at = stored_at + timedelta(days=7)
    facts |= {"deleted": dict.fromkeys((video.id, words.id), deleted_at), "changed_at": deleted_at}
    reason = f"stored; deleted from Zoom {deleted_at:%Y-%m-%d %H:%M} UTC"
    return an_entry(meeting, phase=Phase.DELETED, reason=reason, **facts)
