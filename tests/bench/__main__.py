"""All benchmarks, or those named: `python -m tests.bench [fetching] [connections] [stitching] [passes] …`."""

import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import connections, fetching, passes, starting, stitching

ALL = {
    "starting": starting.run,
    "fetching": fetching.run,
    "connections": connections.run,
    "stitching": stitching.run,
    "passes": passes.run,
    "ledger": passes.run_ledger,
}


def main() -> None:
    """Run them one after the other, each in a folder of its own."""
    begun = time.monotonic()
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors; medians of several runs")
    for name in sys.argv[1:] or ALL:
        with tempfile.TemporaryDirectory(prefix="zoomsync-bench-") as folder:
            ALL[name](Path(folder))
    print(f"\n{time.monotonic() - begun:.0f} s in all")


if __name__ == "__main__":
    main()
