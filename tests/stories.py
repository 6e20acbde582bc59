"""Three stories followed through the code, and the figures of the house. `python -m tests.stories`.

Each story is one pass of the real command against the sandbox, in this process, with every function noted when it is
entered for the first time. `changes` counts how often two neighbours in that order lie in different files. The second
row of a story is the pass alone: without options, config, state and what the command puts together before it.
The figures say how much there is to read. Comments are no code lines, docstrings are.
"""

import ast
import sys
import tempfile
import threading
import tokenize
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
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


def code_lines(path: Path) -> int:
    """The lines of a file with more on them than a comment."""
    no_code = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    with path.open("rb") as file:
        tokens = [one for one in tokenize.tokenize(file.readline) if one.type not in {tokenize.ENCODING, *no_code}]
    return len({line for one in tokens for line in range(one.start[0], one.end[0] + 1)})


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without decorators and docstring."""
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    without = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - without


def figures() -> Iterator[str]:
    """What there is to read in the package, a line for each figure."""
    files = [path for path in sorted(Path(PACKAGE).rglob("*.py")) if path.stat().st_size]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_bytes()))]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    classes = sum(isinstance(node, ast.ClassDef) for node in nodes)
    code = sum(map(code_lines, files))
    longest = max((path.read_bytes().count(b"\n"), str(path.relative_to(PACKAGE))) for path in files)
    most, name = max((body_lines(one), one.name) for one in functions)
    yield f"package: {len(files)} files, {code} code lines"
    yield f"modules in the root: {sum(path.parent == Path(PACKAGE) for path in files)}"
    yield f"longest file: {longest[0]} lines ({longest[1]})"
    yield f"functions: median {median(map(body_lines, functions)):.0f} lines, max {most} ({name})"
    yield f"definitions in 100 code lines: {100 * (classes + len(functions)) / code:.1f}"


def main() -> None:
    """Print a line for each story, and then for each figure of the house."""
    print(f"{'story':<16} {'files':>6} {'functions':>10} {'changes of file':>16} {'back':>6}")
    for name, (prepare, settings) in STORIES.items():
        with tempfile.TemporaryDirectory() as folder:
            stage = a_stage()
            stage.meeting("m", "alice", 2, "Weekly planning")
            happen = prepare(stage)
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
    print("", *figures(), sep="\n")


if __name__ == "__main__":
    main()
