"""The main job, shown: every command against the sandbox, into a library that one can watch. `make demo`.

`make demo PORTAL=1`: into the stand-in portal instead.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.sandbox.__main__ import write_config
from tests.sandbox.portal.media import Media
from tests.sandbox.portal.residents import move_in
from tests.sandbox.portal.server import Portal
from tests.sandbox.server import Sandbox
from zoomsync.formatting import plural

FOLDER = Path(__file__).parent.parent / ".demo"
COMMANDS = ("auth-check", "users", "sync --dry-run", "sync", "sync", "status")
SHOWN = 8
"""Media of each author that are named."""


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
    """What a person at the portal would see: of each author some media, with what is attached to them."""
    every = list(portal.media.values())
    meetings = {one.attributes["ZoomMeetingUUID"] for one in every}
    lines = [f"the portal held {len(every)} media of {len(meetings)} meetings, each at {portal.url}/api/v1/mashup/ID"]
    for author in dict.fromkeys(one.author for one in every):
        own = [one for one in every if one.author == author]
        lines += ["", f"{portal.users[author].email}: {len(own)} media", *map(_line, own[:SHOWN])]
        lines += [f"  … and {len(own) - SHOWN} more"] if len(own) > SHOWN else []
    invited = ", ".join(one.email for one in portal.invitations)
    return "\n".join([*lines, "", f"invited, each once: {invited}"])


def _line(media: Media) -> str:
    texts = [f"captions {one.culture}" for one in media.captions]
    texts += [plural(len(media.handouts), "handout")] if media.handouts else []
    attached = f" + {', '.join(texts)}" if texts else ""
    return f"  {media.id:>4}  {media.status:<10}  {media.title}{attached}"


def _run(command: str) -> int:
    print(f"\n$ zoomsync {command}", flush=True)
    config = str(FOLDER / "config.yaml")
    return subprocess.run([sys.executable, "-m", "zoomsync", "-c", config, *command.split()], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
