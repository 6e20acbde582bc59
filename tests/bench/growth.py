"""How what a pass costs grows: with recordings, users, and the size of a file; `ledger` draws the fourth."""

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
from tests.sandbox.media import Clip
from tests.sandbox.settings import wall_clock
from tests.sandbox.stage import Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world, large_world

PICTURES = marks.PAGE.parent / "growth"
ALL_NEW, PLAN, NOTHING_NEW = "pass, all is new", "its plan (--dry-run)", "pass, nothing new"
RECORDINGS = (30, 300) if IS_QUICK else (100, 1_000, 10_000, 100_000)
USERS = (10, 1_000) if IS_QUICK else (10, 100, 1_000, 10_000, 50_000)
SIZES = (10**6, 10**7) if IS_QUICK else (10**6, 10**7, 10**8, 10**9, 8 * 10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one command."""

    seconds: float
    processor: float
    """Seconds of it, which a busy machine changes less."""
    calls: int
    """To Zoom's API."""
    peak: int
    """Bytes of memory."""
    flushes: int


Growth = dict[str, list[tuple[float, Cost]]]
"""By the line's name: its points, from x to what that costs."""


def run(folder: Path) -> Iterator[Row]:
    """Draw each picture and put its numbers below it."""
    with serving(_place(folder / "first", empty_world(wall_clock()))) as place:
        cost(place, "-q", "sync", "--dry-run")  # not counted: it compiles what the others find compiled
    draw("recordings", "recordings", count_in_short, _by_recordings(folder))
    draw("users", "users", count_in_short, _by_users(folder))
    draw("size", "size of a recording", size_in_short, _by_size(folder))
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
    """What two passes cost in each world, and the plan of the first one, which fetches all."""
    found: Growth = {ALL_NEW: [], PLAN: [], NOTHING_NEW: []}
    for x, world in worlds:
        folder.mkdir()
        with serving(_place(folder, world)) as place:
            found[PLAN].append((x, cost(place, "-q", "sync", "--dry-run")))
            found[ALL_NEW].append((x, cost(place, "-q", "sync")))
            cost(place, "-q", "sync")  # which writes, once, that all of it is stored
            found[NOTHING_NEW].append((x, cost(place, "-q", "sync")))
        shutil.rmtree(folder)
    return found


def _place(folder: Path, world: World) -> Place:
    since = world.now - timedelta(days=30)
    return Place(folder, world, zoom={"rate": 80}, workers=4, connections=8, recordings={"since": since.isoformat()})


def cost(place: Place, *arguments: str) -> Cost:
    """Of a command in this place."""
    place.sandbox.forget()
    calls = place.folder / "fsyncs"
    strace = shutil.which("strace")
    assert strace, "apt install strace"
    tracing = [strace, "-f", "-qq", "--seccomp-bpf", "-c", "-e", "trace=fsync,fdatasync", "-e", "signal=none"]
    environ = {**compiled(place), "PYTHONPYCACHEPREFIX": str(place.folder.parent / "compiled")}
    usage = used([*tracing, "-o", str(calls), *command(place, *arguments)], environ)
    rows = [line.split() for line in calls.read_text().splitlines()]  # share, seconds, of one, calls …, name
    return Cost(
        seconds=usage.wall,
        processor=usage.seconds,
        calls=place.sandbox.count("", "^/(v2|oauth)/"),
        peak=usage.peak,
        flushes=sum(int(row[3]) for row in rows if row and row[-1] in ("fsync", "fdatasync")),
    )


def draw(name: str, x_title: str, x_shown: Callable[[float], str], growth: Growth) -> None:
    """Show the numbers; in the long form draw them, too."""
    head = (x_title, "", "seconds", "of the processor", "API calls", "memory", "fsyncs")
    rows = [
        (x_shown(x), line, f"{cost.seconds:,.1f}", f"{cost.processor:,.1f}",
         f"{cost.calls:,}", f"{cost.peak / 1e6:,.0f} MB", f"{cost.flushes:,}")
        for line, points in growth.items() for x, cost in points
    ]  # fmt: skip
    show(name, head, rows)
    if IS_QUICK:
        return

    def panel(title: str, value: Callable[[Cost], float], shown: Callable[[float], str]) -> Panel:
        lines = {line: [(x, value(cost)) for x, cost in points] for line, points in growth.items()}
        return Panel(title=title, lines=lines, shown=shown)

    panels = [
        panel("seconds", lambda cost: cost.seconds, lambda value: f"{value:,g} s"),
        panel("seconds of the processor", lambda cost: cost.processor, lambda value: f"{value:,g} s"),
        panel("calls to Zoom's API", lambda cost: cost.calls, count_in_short),
        panel("fsyncs", lambda cost: cost.flushes, count_in_short),
        panel("memory", lambda cost: cost.peak, size_in_short),
    ]
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.svg").write_text(drawn(x_title, x_shown, panels), encoding="utf-8")
    picture = f"![Seconds, calls, fsyncs and memory against: {x_title}](growth/{name}.svg)"
    marks.put(name, f"{picture}\n\n{marks.table(head, rows)}")


def count_in_short(value: float) -> str:
    """`100`, `10k`, `1M`."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def size_in_short(value: float) -> str:
    """`100 MB`, `10 GB`."""
    return f"{value / 1e9:g} GB" if value >= 1e9 else f"{value / 1e6:g} MB"
