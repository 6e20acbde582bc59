"""The stand-in by hand: `python -m tests.sandbox [--port N] [--write-config DIR] [--world full|small|empty]
[--portal]`.

Prints its address when it is ready and serves until a signal, or the end of stdin if that is a pipe. While it serves:
`POST /sandbox/release[/NAME]` lets what is late arrive, all or by name; `POST /sandbox/faults` with
`{"fault": "cut", "with": {"after": 100}, "path": "/ssrweb/", "times": 2}` lets requests fail (see faults.py);
`POST /sandbox/heal` ends that; `GET /sandbox/requests` shows what came in. With `--portal` a stand-in portal serves
too, its address is the second line; it takes these faults and its own (see portal/faults.py), also by `"operation"`.
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

from tests.sandbox.portal.residents import move_in
from tests.sandbox.portal.server import Portal
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
    with contextlib.ExitStack() as serving:
        sandbox = serving.enter_context(Sandbox(WORLDS[given.world](wall_clock()), port=given.port))
        portal = serving.enter_context(move_in(Portal())) if given.portal else None
        if given.write_config:
            write_config(sandbox, given.write_config, portal)
        print(*[one.url for one in (sandbox, portal) if one], sep="\n", flush=True)
        if _is_stdin_a_pipe():
            threading.Thread(target=_wait_for_end_of_input, args=(ended,), daemon=True).start()
        ended.wait()


def write_config(sandbox: Sandbox, folder: Path, portal: Portal | None = None) -> None:
    """Store a config for zoomsync as FOLDER/config.yaml, readable by its owner alone; with a portal as destination."""
    folder.mkdir(parents=True, exist_ok=True)
    config = sandbox.config() | ({"destination": portal.config(), "me": portal.email} if portal else {})
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    file = folder / "config.yaml"
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.sandbox", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--write-config", type=Path, metavar="DIR", help="store DIR/config.yaml for this sandbox")
    parser.add_argument("--portal", action="store_true", help="a stand-in portal too, as the config's destination")
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
