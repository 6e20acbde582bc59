"""The main job, shown: every command against the sandbox, into a library that one can watch. `make demo`.

`make demo PORTAL=1`: into the stand-in portal instead.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.sandbox.__main__ import write_config
from tests.sandbox.portal.residents import move_in
from tests.sandbox.portal.server import Portal
from tests.sandbox.server import Sandbox

FOLDER = Path(__file__).parent.parent / ".demo"
COMMANDS = ("auth-check", "users", "sync --dry-run", "sync", "sync", "status")


def main() -> int:
    """Run it; returns the first exit code that is not 0."""
    for name in ("library", "state"):
        shutil.rmtree(FOLDER / name, ignore_errors=True)
    print("starting the sandbox: a stand-in Zoom on this machine, with real media (made once)", flush=True)
    with contextlib.ExitStack() as serving:
        sandbox = serving.enter_context(Sandbox())
        portal = serving.enter_context(move_in(Portal())) if os.environ.get("PORTAL") else None
        write_config(sandbox, FOLDER, portal)
        for command in COMMANDS:
            if code := _run(command):
                return code
        sandbox.world.release()
        print("\n# a transcript, a view, a segment and a meeting arrive late")
        if code := _run("sync"):
            return code
    print(f"\n{_shown(portal) if portal else _watched()}")
    return 0


def _watched() -> str:
    items = sum(1 for _ in (FOLDER / "library").glob("published/*/*/*/recording.json"))
    return f"the library lies in {os.path.relpath(FOLDER / 'library')}: {items} items, each a folder with its video"


def _shown(portal: Portal) -> str:
    states = Counter(one.status for one in portal.media.values())
    mails = len(portal.invitations)
    return f"the portal holds {len(portal.media)} media ({dict(states)}); {mails} users were invited"


def _run(command: str) -> int:
    print(f"\n$ zoomsync {command}", flush=True)
    config = str(FOLDER / "config.yaml")
    return subprocess.run([sys.executable, "-m", "zoomsync", "-c", config, *command.split()], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
