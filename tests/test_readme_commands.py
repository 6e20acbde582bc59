"""The commands of README and manual, run in order for each page: each prints what the page shows.

A `console` block holds commands (`$ …`) with what they print. `…` stands for any text, alone on a line for any lines.
What differs from run to run (`VARYING`) may stand there as it once was.
"""

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.readme import PAGES, ROOT, blocks
from tests.sandbox.__main__ import write_config
from tests.sandbox.server import Sandbox
from tests.sandbox.settings import READING, wall_clock
from tests.sandbox.worlds import small_world

VARYING = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z| UTC)?", "TIME"),
    (r"\d{4}-\d\d-\d\d", "DAY"),
    (r"/\d{4}/", "/YEAR/"),
    (r"\b[0-9a-f]{8}([0-9a-f]{24})?\b", "ID"),
    (r"\d[\d,.]* (bytes|kB|MB|GB|TB)\b", "SIZE"),
    (r"\b\d+ (s|min|h)\b( \d+ (s|min)\b)?", "SPAN"),
    (r" {2,}", " "),
)
"""Patterns of the pages' outputs and of the real ones alike; column widths differ with what is in them."""


@pytest.mark.parametrize("page", [page for page in PAGES if blocks("console", PAGES[page])])
def test_each_command_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    with Sandbox(small_world(wall_clock()), scopes=READING) as sandbox:
        write_config(sandbox, tmp_path)
        wrong = [
            difference(command, shown, printed)
            for command, shown in [*commands(PAGES[page]), *cron_jobs(PAGES[page])]
            if not is_shown(shown, printed := run(command, tmp_path))
        ]

    assert not wrong, "\n".join(wrong)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a `console` block with what the page shows; without jq those that need it are left out."""
    for block in blocks("console", text):
        for found in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            if shutil.which("jq") or "jq" not in found[1].split():
                yield found[1], found[2]


def cron_jobs(text: str) -> Iterator[tuple[str, str]]:
    """The command of each cron line, with the config of this test: it is to be silent."""
    for block in blocks("cron", text):
        for line in block.splitlines():
            if found := re.fullmatch(r"(?:\S+\s+){5}zoomsync\s+/opt/zoomsync/bin/(zoomsync .*)", line):
                yield found[1].replace("/etc/zoomsync/config.yaml", "config.yaml"), ""


def run(command: str, folder: Path) -> str:
    """What the command prints, and its exit code where that is not 0; HOME is empty but for this folder's config."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "zoomsync").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m zoomsync "$@"\n')
    (tools / "zoomsync").chmod(0o755)
    ran = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(tools)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return ran.stdout + (f"exit code {ran.returncode}\n" if ran.returncode else "")


def is_shown(shown: str, printed: str) -> bool:
    """Whether this was printed, but for what varies and what `…` stands for."""
    lines = (r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + "\n" for line in settled(shown))
    return re.fullmatch("".join(lines), "".join(f"{line}\n" for line in settled(printed))) is not None


def settled(text: str) -> list[str]:
    """The lines without what varies; meetings that are worked on at the same time end in any order."""
    for pattern, instead in VARYING:
        text = re.sub(pattern, instead, text)
    lines = [line.rstrip() for line in text.splitlines()]
    places = [number for number, line in enumerate(lines) if " published: " in line]
    for place, line in zip(places, sorted(lines[number] for number in places), strict=True):
        lines[place] = line
    return lines


def difference(command: str, shown: str, printed: str) -> str:
    """What a person needs to correct the page, or the code."""
    compared = difflib.unified_diff(settled(shown), settled(printed), "page", "printed", lineterm="", n=0)
    return "\n".join([f"$ {command}", *compared, "as printed:", printed])


SHOWN = "config …/config.yaml\n2026-03-01T09:30:00Z info a1b2c3d4 published: 1 file, 86.1 kB\n…\nend\n"


@pytest.mark.parametrize(
    ("printed", "passes"),
    [
        ("config /x/config.yaml\n2027-01-01T00:00:00Z info 00000000 published: 1 file, 9 bytes\nend\n", True),
        ("config /x/config.yaml\n2027-01-01T00:00:00Z info 00000000 published: 1 file, 9 bytes\nmore\nend\n", True),
        ("config /x/config.yaml\n2027-01-01T00:00:00Z info 00000000 failed: 1 file, 9 bytes\nend\n", False),
        ("config /x/config.yaml\n2027-01-01T00:00:00Z info 00000000 published: 2 files, 9 bytes\nend\n", False),
        ("", False),
    ],
)
def test_what_the_comparison_lets_pass(printed: str, passes: bool) -> None:
    assert is_shown(SHOWN, printed) == passes
