"""All benchmarks, or those named: `python -m tests.bench [fetching] [connections] [stitching] [passes] …`.

Each is a module of this folder with `run(folder)`, which yields its rows of the table of marks. What is measured goes
into the manual's page; with `QUICK` in the environment it is done in a short form, and only shown.
"""

import os
import pkgutil
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

from tests.bench import marks
from tests.bench.marks import Row
from tests.bench.table import IS_QUICK, show


def main() -> None:
    """Run them one after the other, each in a folder of its own."""
    begun = time.monotonic()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is compiled stays, as in an installation
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors; medians of several runs")
    benches, rows = found(), list[Row]()
    for name in sys.argv[1:] or benches:
        with tempfile.TemporaryDirectory(prefix="zoomsync-bench-") as folder:
            rows += benches[name](Path(folder))
    show("marks", marks.HEAD, [row.cells for row in rows])
    if not IS_QUICK:
        marks.write(rows, is_all=not sys.argv[1:])
    print(f"\n{time.monotonic() - begun:.0f} s in all")


def found() -> dict[str, Callable[[Path], Iterable[Row]]]:
    """Each benchmark by its name."""
    names = [one.name for one in pkgutil.iter_modules([str(Path(__file__).parent)]) if not one.name.startswith("_")]
    modules = {name: import_module(f"tests.bench.{name}") for name in names}
    return {name: module.run for name, module in modules.items() if hasattr(module, "run")}


if __name__ == "__main__":
    main()
