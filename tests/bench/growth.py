"""How what a pass costs grows: with recordings, users, meetings that are remembered, and the size of a file."""

import itertools
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.bench import marks
from tests.bench.counted import command, compiled, used
from tests.bench.drawing import Panel, drawn
from tests.bench.marks import Row
from tests.bench.table import IS_QUICK, show
from tests.crash.big import Padded
from tests.crash.place import Place, serving
from tests.fakes import a_meeting, a_receipt, an_entry
from tests.sandbox.media import Clip
from tests.sandbox.settings import wall_clock
from tests.sandbox.stage import Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world, large_world, small_world
from zoomsync.model import Entry, Phase
from zoomsync.state import State

PICTURES = marks.PAGE.parent / "growth"
ALL_NEW, NOTHING_NEW, STATUS = "pass, all is new", "pass, nothing new", "status"
RECORDINGS = (30, 300) if IS_QUICK else (100, 1_000, 10_000, 100_000)
USERS = (10, 1_000) if IS_QUICK else (10, 100, 1_000, 10_000, 50_000)
REMEMBERED = (1_000, 10_000) if IS_QUICK else (1_000, 10_000, 100_000, 1_000_000)
SIZES = (10**6, 10**7) if IS_QUICK else (10**6, 10**7, 10**8, 10**9, 8 * 10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one command."""

    seconds: float
    calls: int
    """To Zoom's API."""
    peak: int
    """Bytes of memory."""
    flushes: int


Growth = dict[str, list[tuple[float, Cost]]]
"""By the line's name: its points, from x to what that costs."""


def run(folder: Path) -> Iterator[Row]:
    """Draw each picture and put its numbers below it."""
    _draw("recordings", "recordings", _count, _by_recordings(folder))
    _draw("users", "users", _count, _by_users(folder))
    _draw("remembered", "meetings remembered", _count, _by_remembered(folder))
    _draw("size", "size of a recording", _size, _by_size(folder))
    yield from ()


def _by_recordings(folder: Path) -> Growth:
    return _first_and_second(
        folder / "recordings",
        ((count, large_world(wall_clock(), users=1_000, meetings=count, days=25)) for count in RECORDINGS),
    )


def _by_users(folder: Path) -> Growth:
    recordings = 30 if IS_QUICK else 1_000
    return _first_and_second(
        folder / "users",
        ((count, large_world(wall_clock(), users=count, meetings=recordings, days=25)) for count in USERS),
    )


def _by_size(folder: Path) -> Growth:
    return _first_and_second(folder / "size", ((size, _of_one_file(size)) for size in SIZES))


def _of_one_file(size: int) -> World:
    stage = Stage(empty_world(wall_clock()))
    stage.meeting("big", "alice", 1, "Big")
    stage.file("big", Padded(Clip(), size), "MP4", "active_speaker", "MP4")
    return stage.world


def _first_and_second(folder: Path, worlds: Iterable[tuple[float, World]]) -> Growth:
    """What two passes cost in each world; the first one fetches all."""
    found: Growth = {ALL_NEW: [], NOTHING_NEW: []}
    for x, world in worlds:
        folder.mkdir()
        with serving(_place(folder, world)) as place:
            for points in found.values():
                points.append((x, _cost(place, "-q", "sync")))
        shutil.rmtree(folder)
    return found


def _by_remembered(folder: Path) -> Growth:
    found: Growth = {NOTHING_NEW: [], STATUS: []}
    with serving(_place(folder, small_world(wall_clock()))) as place:
        _cost(place, "-q", "sync")
        for known, count in itertools.pairwise((0, *REMEMBERED)):
            _remember(place, range(known, count))
            found[NOTHING_NEW].append((count, _cost(place, "-q", "sync")))
            found[STATUS].append((count, _cost(place, "status")))
    return found


def _remember(place: Place, numbers: range) -> None:
    """Put published meetings into the ledger, one each five minutes before the lookback."""
    with State.open(place.state, new_id="0" * 32) as state:
        destination = state.head.destination
        for some in (numbers[first : first + 1_000] for first in range(0, len(numbers), 1_000)):
            state.put(*(_stored(place, number, destination) for number in some))


def _stored(place: Place, number: int, destination: str) -> Entry:
    start = place.sandbox.world.now - timedelta(days=40, minutes=5 * number)
    meeting = a_meeting(uuid=f"remembered/{number}==", topic=f"Lecture {number}", start=start)
    receipt = a_receipt(meeting, destination=destination)
    return an_entry(meeting, phase=Phase.PUBLISHED, reason="stored", receipt=receipt, stored_at=start)


def _place(folder: Path, world: World) -> Place:
    since = world.now - timedelta(days=30)
    return Place(folder, world, zoom={"rate": 80}, workers=4, connections=8, recordings={"since": since.isoformat()})


def _cost(place: Place, *arguments: str) -> Cost:
    place.sandbox.forget()
    calls = place.folder / "fsyncs"
    strace = shutil.which("strace")
    assert strace, "apt install strace"
    tracing = [strace, "-f", "-qq", "--seccomp-bpf", "-c", "-e", "trace=fsync,fdatasync", "-e", "signal=none"]
    usage = used([*tracing, "-o", str(calls), *command(place, *arguments)], compiled(place))
    rows = [line.split() for line in calls.read_text().splitlines()]  # share, seconds, of one, calls …, name
    return Cost(
        seconds=usage.wall,
        calls=place.sandbox.count("", "^/(v2|oauth)/"),
        peak=usage.peak,
        flushes=sum(int(row[3]) for row in rows if row and row[-1] in ("fsync", "fdatasync")),
    )


def _draw(name: str, x_title: str, x_shown: Callable[[float], str], growth: Growth) -> None:
    """Show the numbers; in the long form draw them, too."""
    head = (x_title, "", "seconds", "API calls", "memory", "fsyncs")
    rows = [
        (x_shown(x), line, f"{cost.seconds:,.1f}", f"{cost.calls:,}", f"{cost.peak / 1e6:,.0f} MB", f"{cost.flushes:,}")
        for line, points in growth.items()
        for x, cost in points
    ]
    show(name, head, rows)
    if IS_QUICK:
        return

    def panel(title: str, value: Callable[[Cost], float], shown: Callable[[float], str]) -> Panel:
        lines = {line: [(x, value(cost)) for x, cost in points] for line, points in growth.items()}
        return Panel(title=title, lines=lines, shown=shown)

    panels = [
        panel("seconds", lambda cost: cost.seconds, lambda value: f"{value:,g} s"),
        panel("calls to Zoom's API", lambda cost: cost.calls, _count),
        panel("memory", lambda cost: cost.peak, _size),
        panel("fsyncs", lambda cost: cost.flushes, _count),
    ]
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.svg").write_text(drawn(x_title, x_shown, panels), encoding="utf-8")
    marks.put(name, marks.table(head, rows))


def _count(value: float) -> str:
    """`100`, `10k`, `1M`."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _size(value: float) -> str:
    """`100 MB`, `10 GB`."""
    return f"{value / 1e9:g} GB" if value >= 1e9 else f"{value / 1e6:g} MB"
