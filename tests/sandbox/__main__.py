"""The stand-in by hand: `python -m tests.sandbox [--port N] [--write-config DIR] [--world full|small|empty]`.

Prints its address when it is ready and serves until a signal, or the end of stdin if that is a pipe. While it serves:
`POST /sandbox/release[/NAME]` lets what is late arrive, all or by name; `POST /sandbox/faults` with
`{"fault": "cut", "with": {"after": 100}, "path": "/ssrweb/", "times": 2}` lets requests fail (see faults.py);
`POST /sandbox/heal` ends that; `GET /sandbox/requests` shows what came in.
"""

import argparse
import contextlib
import os
import signal
import stat
import sys
import threading
from pathlib import Path

import yaml

from tests.sandbox.server import Sandbox
from tests.sandbox.settings import wall_clock
from tests.sandbox.worlds import empty_world, full_world, small_world

WORLDS = {"full": full_world, "small": small_world, "empty": empty_world}


def main() -> None:
    """Serve until told to end."""
    given = _arguments()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with Sandbox(WORLDS[given.world](wall_clock()), port=given.port) as sandbox:
        if given.write_config:
            write_config(sandbox, given.write_config)
        print(sandbox.url, flush=True)
        if _is_stdin_a_pipe():
            threading.Thread(target=_wait_for_end_of_input, args=(ended,), daemon=True).start()
        ended.wait()


def write_config(sandbox: Sandbox, folder: Path) -> None:
    """Store a config for zoomsync as FOLDER/config.yaml, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(sandbox.config(), sort_keys=False, allow_unicode=True)
    config = folder / "config.yaml"
    config.touch(mode=0o600)
    config.write_text(text, encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.sandbox", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--write-config", type=Path, metavar="DIR", help="store DIR/config.yaml for this sandbox")
    parser.add_argument("--world", choices=WORLDS, default="full")
    return parser.parse_args()


def _is_stdin_a_pipe() -> bool:
    with contextlib.suppress(OSError):  # it can be closed
        return stat.S_ISFIFO(os.fstat(0).st_mode)  # in the background a shell gives it /dev/null
    return False


def _wait_for_end_of_input(ended: threading.Event) -> None:
    while sys.stdin.readline():
        pass
    ended.set()


if __name__ == "__main__":
    main()
