"""Arrows point one way: who may import whom."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "zoomsync"

NOUNS = {"errors", "model", "about"}
PURE = {
    "naming",
    "words",
    "redaction",
    "segments",
    "layout",
    "arrangement",
    "operations",
    "gaps",
    "plan",
    "deletion",
    "ledger",
    "report",
    "order",
    "patience",
    "status",
    "urgency",
}
EDGES = {"config", "journal", "state", "audit", "http", "zoom", "media", "destinations"}
RUNNING = {
    "disk",
    "foreseeing",
    "hosts",
    "listing",
    "deleting",
    "item",
    "access",
    "blame",
    "book",
    "cleaning",
    "readings",
    "running",
    "team",
    "work",
    "checks",
    "roster",
    "staging",
    "shop",
    "stored",
    "sync",
}
FRONT = {"console", "options", "clock", "wiring", "portal", "commands", "cli", "__main__"}


def layer(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def allowed(name: str) -> set[str]:
    own = layer(name)
    if own in NOUNS:
        return NOUNS
    if own in PURE:
        return NOUNS | PURE
    if own in EDGES:
        return NOUNS | PURE | {"http", "journal", own}
    if own in RUNNING:
        return NOUNS | PURE | EDGES | RUNNING
    return NOUNS | PURE | EDGES | RUNNING | FRONT


def modules() -> dict[str, Path]:
    found = {".".join(p.relative_to(PACKAGE).with_suffix("").parts): p for p in sorted(PACKAGE.rglob("*.py"))}
    return {name.removesuffix(".__init__"): path for name, path in found.items() if name != "__init__"}


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {f"{n.module}.{a.name}" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    return {layer(name.removeprefix("zoomsync.")) for name in names if name.startswith("zoomsync.")} - {"__version__"}


@pytest.mark.parametrize("name", modules())
def test_a_module_imports_only_what_lies_below_it(name: str) -> None:
    assert imported(modules()[name]) <= allowed(name)


@pytest.mark.parametrize("name", modules())
def test_every_module_has_its_place_in_the_picture(name: str) -> None:
    assert layer(name) in NOUNS | PURE | EDGES | RUNNING | FRONT


def test_only_the_command_line_reads_clock_and_environment() -> None:
    forbidden = ("datetime.now(", "time.time(", "os.environ", "getenv(", "uuid4(", "sys.argv", "date.today(")

    readers = {name for name, path in modules().items() for word in forbidden if word in path.read_text()}

    assert readers <= {"cli", "clock"}
