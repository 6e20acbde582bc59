"""The map of the house in CONTRIBUTING.md is the house as it stands."""

import re
import tomllib
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "zoomsync"
PAGE = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
PICTURE = PAGE.split("```")[1].strip("\n").splitlines()
TABLE = re.findall(r"^\| .* \| (.*) \|$", PAGE, re.MULTILINE)[1:]
STROKE = "   │"


def floors() -> list[set[str]]:
    """From the top: the rooms between two strokes of the picture, as they are imported."""
    parts = [list(lines) for is_stroke, lines in groupby(PICTURE, STROKE.__eq__) if not is_stroke]
    return [{found[1] for line in part if (found := re.match(r"  (\w+)(?:/|\.py) ", line))} for part in parts]


def modules_in_picture() -> list[str]:
    """`sync/engine`: what the picture names in a room, up to the colon; what stands in no room is no module."""
    room, found = "", []
    for line in PICTURE:
        if line.startswith("  ") and line[2] not in " │":
            room = line.split()[0]
        if room.endswith("/") and ":" in line:
            names = line[2:].removeprefix(room).partition(":")[0].split("·")
            found += [room + name.strip() for name in names]
    return found


def exists(path: str) -> bool:
    """Whether the page's path is of the package, of its tests or of the root."""
    return any([*base.glob(path)] for base in (PACKAGE, ROOT / "tests", ROOT))


def test_the_picture_has_the_floors_of_the_import_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = [one["layers"] for one in contracts if one["type"] == "layers"]

    assert floors() == [set(re.findall(r"\w+", layer)) for layer in layers]


def test_every_room_of_the_package_is_named() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py") and not path.name.startswith("_")}

    assert set().union(*floors()) == rooms - {"share"}
    assert "`share/`" in PAGE


def test_what_the_picture_names_in_a_room_is_there() -> None:
    modules = modules_in_picture()

    assert [one for one in modules if not exists(one) and not exists(f"{one}.py")] == []
    assert {"sync/engine", "rules/update", "destinations/library/"} <= set(modules)


def test_each_path_that_the_page_names_is_there() -> None:
    paths = set(re.findall(r"`([\w./*]+(?:\.\w+|/))`", PAGE)) - {"recording.json"}  # that one lies in an item

    assert sorted(path for path in paths if not exists(path.removeprefix("zoomsync/"))) == []
    assert {"sync/lister.py", "media/stitch.py", "tests/sandbox/"} <= paths


def test_each_module_that_a_row_of_the_table_names_lies_in_the_folder_of_the_row() -> None:
    missing = []
    for row in TABLE:
        folders = {path.rpartition("/")[0] for path in re.findall(r"`([\w/]+/(?:\w+\.py)?)`", row)}
        names = re.findall(r"`([a-z_]+)`", row)
        missing += [name for name in names if not any(exists(f"{folder}/{name}.py") for folder in folders)]

    assert missing == []
    assert len(TABLE) > 20
