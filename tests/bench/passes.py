"""Whole passes over the sandbox's full world, and a second pass's own work with ten thousand meetings."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench.marks import Row
from tests.bench.table import IS_QUICK, MB, seconds, show
from tests.crash.place import Place, ended
from tests.crash.place import serving as at_work
from tests.fakes import a_file, a_meeting, a_receipt, an_entry
from tests.sandbox.settings import wall_clock
from tests.sandbox.worlds import full_world
from zoomsync.model import Entry, Kind, Meeting, Phase
from zoomsync.rules.publish import Publish, Rules, decide, sorted_by_urgency
from zoomsync.state import State

RUNS = 1 if IS_QUICK else 3
MEETINGS = 1_000 if IS_QUICK else 10_000
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def run(folder: Path) -> Iterable[Row]:
    """Print the tables."""
    found: dict[str, list[tuple[float, int, int]]] = {"first pass": [], "second pass": []}
    for number in range(RUNS):
        with at_work(Place(folder / str(number), full_world(wall_clock()))) as place:
            for taken in found.values():
                taken.append(_taken(place))
    rows = []
    for name, taken in found.items():
        times, calls, files = zip(*taken, strict=True)
        rows.append([name, *seconds(times), str(max(calls)), str(max(files))])
    show("sync over the sandbox's full world", ["", "median", "least", "most", "API calls", "files fetched"], rows)
    _run_ledger(folder)
    return ()


def _taken(place: Place) -> tuple[float, int, int]:
    """Seconds, API calls and files of a pass."""
    place.sandbox.forget()
    begun = time.perf_counter()
    code, _, stderr = ended(place.command("-q", "sync"))
    took = time.perf_counter() - begun
    assert code == 0, stderr
    return took, place.sandbox.count("", "^/(v2|oauth)/"), place.sandbox.count("GET", "^/ssrweb/")


def _run_ledger(folder: Path) -> None:
    path = folder / "state.json"
    meetings = [_meeting(number) for number in range(MEETINGS)]
    with State.open(path, new_id="0" * 32) as state:
        for first in range(0, MEETINGS, 300):
            state.put(*map(_entry, meetings[first : first + 300]))
    found: dict[str, list[float]] = {name: [] for name in ("open", "plan", "one step")}
    for _ in range(RUNS):
        _second_pass(path, meetings, found)
    rows = [[name, *seconds(times)] for name, times in found.items()]
    size = f"{path.with_name('state.db').stat().st_size / MB:.1f} MB of state.db"
    show(f"a ledger of {MEETINGS:,} meetings, {size}", ["", "median", "least", "most"], rows)


def _second_pass(path: Path, meetings: list[Meeting], found: dict[str, list[float]]) -> None:
    """What a pass does by itself when Zoom lists all of it again and one meeting is new."""
    begun = time.perf_counter()

    def taken(name: str) -> None:
        nonlocal begun
        found[name].append(time.perf_counter() - begun)
        begun = time.perf_counter()

    with State.open(path, new_id="0" * 32) as state:
        taken("open")
        answers = [(one, decide(one, state.entries.get(one.uuid), RULES)) for one in meetings]
        assert not [1 for _, answer in sorted_by_urgency(answers, frozenset(), NOW) if isinstance(answer, Publish)]
        taken("plan")
        state.put(an_entry(uuid="new"))
        taken("one step")


RULES = Rules(
    now=NOW,
    since=NOW - timedelta(days=365 * 20),
    settle=timedelta(minutes=30),
    min_duration=timedelta(0),
    views="all",
    kinds=frozenset(Kind),
    hosts=None,
    destination="library-1",
)


def _meeting(number: int) -> Meeting:
    start = NOW - timedelta(days=3, hours=number / 3)
    files = tuple(
        a_file(id=f"{number}-{view}", view=view, start=start, end=start + timedelta(minutes=50))
        for view in ("shared_screen_with_speaker_view", "gallery_view")
    )
    return a_meeting(uuid=f"meeting/{number}==", topic=f"Lecture {number}", start=start, files=files)


def _entry(meeting: Meeting) -> Entry:
    return an_entry(
        meeting, phase=Phase.PUBLISHED, reason="stored", receipt=a_receipt(meeting), stored_at=meeting.start
    )
