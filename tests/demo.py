"""The main job, shown: every command against the sandbox, into a library that one can watch. `make demo`.

`make demo PORTAL=1`: into the stand-in portal instead. `make demo REMOTE=1`: into an S3, by rclone.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.destinations.rclone.stores import seaweed
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
        remote = serving.enter_context(_s3()) if os.environ.get("REMOTE") else None
        for command in COMMANDS:
            if code := _run(command):
                return code
        sandbox.world.release()
        print("\n# a transcript, a view, a segment and a meeting arrive late")
        if code := _run("sync"):
            return code
        print(f"\n{_shown(portal) if portal else _listed(remote) if remote else _watched()}")
    return 0


@contextlib.contextmanager
def _s3() -> Iterator[list[str]]:
    """SeaweedFS, named in the config; yields the command that lists what it has."""
    place = FOLDER / "s3"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    with seaweed(place) as server:
        lines = "".join(f"{key} = {value}\n" for key, value in server.as_s3().items())
        (place / "rclone.conf").touch(mode=0o600)
        (place / "rclone.conf").write_text(f"[s3]\n{lines}")
        server.make_bucket("recordings", place)
        config = yaml.safe_load((FOLDER / "config.yaml").read_text())
        below = {"type": "rclone", "remote": "s3:recordings/zoom", "config": str(place / "rclone.conf")}
        (FOLDER / "config.yaml").write_text(yaml.safe_dump(config | {"destination": below}))
        program = Path(sysconfig.get_path("scripts")) / "rclone"
        yield [str(program), "--config", str(place / "rclone.conf"), "lsf", "-R", "--files-only", below["remote"]]


def _listed(command: list[str]) -> str:
    """What the bucket holds."""
    files = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    items = sum(one.endswith("/recording.json") for one in files)
    shown = "\n".join(sorted(one for one in files if one.startswith("published/"))[:SHOWN])
    return f"s3:recordings/zoom held {items} items in {len(files)} files, such as\n{shown}"


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
