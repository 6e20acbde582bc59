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


STITCHING, PROVING = "concat", "null"
"""What a command of ffmpeg contains when it does this."""


def fake_tools(folder: Path, *, at: str = STITCHING, endless: bool = False, first: str = "") -> None:
    """Put both into `folder`; at that work ffmpeg never ends, or runs the shell command `first` first."""
    real = Path(ffmpeg())
    command, comment = shlex.quote(str(real)), shlex.quote(f"comment={folder}/")
    never = f"exec {command} -v error -re -f lavfi -i color=s=16x16:r=5 -metadata {comment} -f null -"
    _script(folder / "ffmpeg", SCRIPT.format(at=at, instead=never if endless else first, real=command))
    _script(folder / "ffprobe", f'#!/bin/sh\nexec {shlex.quote(str(_ffprobe(real)))} "$@"\n')


def _ffprobe(real: Path) -> Path:
    """Beside ffmpeg, under the same kind of name."""
    return real.with_name(real.name.replace("ffmpeg", "ffprobe"))


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
