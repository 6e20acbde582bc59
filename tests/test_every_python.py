"""What CI runs on each Python: the script, with a `make` that only says what it was asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("every_python.sh")
OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"
OTHERS = [version for version in ("3.11", "3.12", "3.13") if version != OWN]


def ran(folder: Path, *pythons: str, make: str = "echo make $*") -> subprocess.CompletedProcess[str]:
    """The script, on a machine that has this Python as `python3`, and these further ones."""
    for name, text in [("make", make), *((f"python{version}", "exit 0") for version in pythons)]:
        program = folder / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    (folder / "python3").symlink_to(sys.executable)
    environment = {"PATH": os.fspath(folder), "HOME": os.fspath(folder)}
    shell = ["/bin/sh", os.fspath(SCRIPT)]
    return subprocess.run(shell, env=environment, capture_output=True, text=True, timeout=60, check=False)


def usable(*versions: str) -> list[str]:
    """What it says of each other version, given that these are there."""
    have = [f"make test PYTHON=python{one} VENV=.venv-{one}" for one in OTHERS if one in versions]
    return have or [f"python {one}: not on this machine, not tested" for one in OTHERS]


@pytest.mark.parametrize("further", [[], OTHERS], ids=["alone", "with the others"])
def test_every_python_that_is_present_is_tested_and_a_missing_one_is_no_failure(
    tmp_path: Path, further: list[str]
) -> None:
    done = ran(tmp_path, *further)

    assert (done.returncode, done.stdout.splitlines()) == (0, ["make test", *usable(*further), "make lowest newest"])


def test_a_failing_suite_fails_it(tmp_path: Path) -> None:
    assert ran(tmp_path, make="exit 2").returncode == 2
