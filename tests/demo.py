"""The main job, shown: every command against the sandbox, into a library that one can watch. `make demo`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.sandbox.__main__ import write_config
from tests.sandbox.server import Sandbox

FOLDER = Path(__file__).parent.parent / ".demo"
COMMANDS = ("auth-check", "users", "sync --dry-run", "sync", "sync", "status")


def main() -> int:
    """Run it; returns the first exit code that is not 0."""
    for name in ("library", "state"):
        shutil.rmtree(FOLDER / name, ignore_errors=True)
    print("starting the sandbox: a stand-in Zoom on this machine, with real media (made once)", flush=True)
    with Sandbox() as sandbox:
        write_config(sandbox, FOLDER)
        for command in COMMANDS:
            if code := _run(command):
                return code
        sandbox.world.release()
        print("\n# a transcript, a view, a segment and a meeting arrive late")
        if code := _run("sync"):
            return code
    items = sum(1 for _ in (FOLDER / "library").glob("published/*/*/*/recording.json"))
    print(f"\nthe library lies in {os.path.relpath(FOLDER / 'library')}: {items} items, each a folder with its video")
    return 0


def _run(command: str) -> int:
    print(f"\n$ zoomsync {command}", flush=True)
    config = str(FOLDER / "config.yaml")
    return subprocess.run([sys.executable, "-m", "zoomsync", "-c", config, *command.split()], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
