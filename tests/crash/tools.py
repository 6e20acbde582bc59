"""ffmpeg and ffprobe by the names that zoomsync looks for on the PATH, doing what a test wants."""

import os
import shlex
from pathlib import Path

from tests.sandbox.media import ffmpeg

SEED = int(os.environ.get("SOAK_SEED", "3"))
"""What random kills are drawn from; `make soak` gives a new one each time."""
SCRIPT = """#!/bin/sh
case "$*" in
  *{at}*) {instead} ;;
esac
exec {real} "$@"
"""


STITCHING, PROVING = "concat", "-count_frames"
"""What a command of ffmpeg or ffprobe contains when it does this."""


def fake_tools(folder: Path, *, at: str = STITCHING, endless: bool = False, first: str = "") -> None:
    """Put both into `folder`; at that work they never end, or run the shell command `first` first."""
    real = Path(ffmpeg())
    comment = shlex.quote(f"comment={folder}/")
    never = f"exec {shlex.quote(str(real))} -v error -re -f lavfi -i color=s=16x16:r=5 -metadata {comment} -f null -"
    for name, tool in (("ffmpeg", real), ("ffprobe", _ffprobe(real))):
        instead = never if endless else first
        _script(folder / name, SCRIPT.format(at=at, instead=instead, real=shlex.quote(str(tool))))


def _ffprobe(real: Path) -> Path:
    """Beside ffmpeg, under the same kind of name."""
    return real.with_name(real.name.replace("ffmpeg", "ffprobe"))


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
