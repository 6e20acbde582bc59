"""Three stories followed through the code: how many files and functions a reader meets. `python -m tests.stories`.

Each story is one pass of the real command against the sandbox, in this process, with every function noted when it is
entered for the first time. `changes` counts how often two neighbours in that order lie in different files. The second
row of a story is the pass alone: without options, config, state and what the command puts together before it.
"""

import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType

from tests.e2e.harness import Site, a_site, a_stage
from tests.sandbox import faults
from tests.sandbox.stage import Stage

PACKAGE = str(Path(__file__).parent.parent / "zoomsync")


def late_transcript(stage: Stage) -> Callable[[Site], object]:
    """A transcript that comes a day after its video was published."""
    stage.video("m")
    stage.video("m", 2, at=120)

    def happen(site: Site) -> object:
        site.clock.advance(days=1)
        return stage.transcript("m")

    return happen


def deletion(stage: Stage) -> Callable[[Site], object]:
    """A cloud copy goes, seven days after it was stored, on proof."""
    stage.video("m")
    return lambda site: site.clock.advance(days=8)


def too_many_requests(stage: Stage) -> Callable[[Site], object]:
    """Zoom answers 429 to one request of a pass that has nothing else to do."""
    stage.video("m")
    return lambda site: site.sandbox.fail("^/v2/", with_=faults.rate_limited())


DELETES = {"delete_recordings": "trash", "delete_all_accounts": True}
STORIES: dict[str, tuple[Callable[[Stage], Callable[[Site], object]], dict[str, object]]] = {
    "late transcript": (late_transcript, {}),
    "deletion": (deletion, DELETES),
    "429": (too_many_requests, {}),
}


@contextmanager
def followed() -> Iterator[list[tuple[str, str]]]:
    """(file, function) of the package, each once, in the order in which they are first entered."""
    entered: dict[tuple[str, str], None] = {}

    def enter(frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PACKAGE) and not code.co_name.startswith("<"):
            entered.setdefault((code.co_filename, code.co_qualname))

    found: list[tuple[str, str]] = []
    threading.setprofile(enter)
    sys.setprofile(enter)
    try:
        yield found
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        found += entered


def main() -> None:
    """Print a line for each story."""
    print(f"{'story':<16} {'files':>6} {'functions':>10} {'changes of file':>16} {'back':>6}")
    for name, (tell, settings) in STORIES.items():
        with tempfile.TemporaryDirectory() as folder:
            stage = a_stage()
            stage.meeting("m", "alice", 2, "Weekly planning")
            happen = tell(stage)
            with a_site(Path(folder), stage.world, **settings) as site:
                first = site.sync()
                assert first.code == 0, first.stderr
                happen(site)
                with followed() as entered:
                    result = site.sync()
                assert result.code == 0, result.stderr
        begin = next(n for n, (_, function) in enumerate(entered) if function == "Pass.run")
        for label, part in ((name, entered), ("  the pass alone", entered[begin:])):
            files = [file for file, _ in part]
            changes = sum(a != b for a, b in pairwise(files))
            print(f"{label:<16} {len({*files}):>6} {len(part):>10} {changes:>16} {changes - len({*files}) + 1:>6}")
        if "-v" in sys.argv:
            for file in dict.fromkeys(file for file, _ in entered):
                print("   ", file.removeprefix(PACKAGE), sum(one == file for one, _ in entered))


if __name__ == "__main__":
    main()
