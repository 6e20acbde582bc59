"""The wheel, built and installed as the README says: an upgrade and a way back, and what is in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.readme import ROOT, blocks
from zoomsync import __version__

OLD, NEW = "0.0.9", __version__


class Place:
    """A checkout, and a virtual environment that nothing but wheels of it gets into; both without the network."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.venv = folder / "opt"
        self._environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PIP_NO_INDEX": "1"}
        self._environ |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        left_out = shutil.ignore_patterns(".*", "tests", "dist", "build", "__pycache__")
        shutil.copytree(ROOT, self.checkout, ignore=left_out, symlinks=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.venv], check=True)
        pip = self.venv / "bin/pip"  # the one of the tests, which takes less time than to install another
        pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip --python {self.venv} "$@"\n')
        pip.chmod(0o755)

    def build(self, version: str) -> Path:
        """`make dist` of the checkout as it was, or will be, at this version; returns the one wheel there is."""
        module = self.checkout / "zoomsync/__init__.py"
        module.write_text(f'"""As it was."""\n\n__version__ = "{version}"\n')
        self._run(f"make -s -o {sys.prefix}/.ready VENV={sys.prefix} dist")
        (wheel,) = (self.checkout / "dist").iterdir()
        return wheel

    def install(self) -> None:
        """The README's line, but for root."""
        (line,) = {
            one for one in "".join(blocks("sh")).splitlines() if "/opt/zoomsync/bin/pip install --no-deps" in one
        }
        self._run(line.removeprefix("sudo ").replace("/opt/zoomsync", str(self.venv)))

    def says(self, *arguments: str) -> str:
        """What the installed zoomsync prints; the libraries are those of the tests."""
        return self._run(" ".join([f"{self.venv}/bin/zoomsync", *arguments]), PYTHONPATH=os.pathsep.join(libraries()))

    def _run(self, line: str, **more: str) -> str:
        environ = {**self._environ, **more}
        done = subprocess.run(
            line, shell=True, cwd=self.checkout, env=environ, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr


def libraries() -> list[str]:
    """Where the libraries of the tests lie; an installation of zoomsync that may lie there too is editable."""
    return [path for path in sys.path if path.endswith("site-packages")]


def test_an_upgrade_installs_what_was_built_and_so_does_the_way_back(tmp_path: Path) -> None:
    """It takes long to build and to install: so the last installation is looked into here, too."""
    place, said = Place(tmp_path), []
    for version in (OLD, NEW, OLD):
        assert place.build(version).name == f"zoomsync-{version}-py3-none-any.whl"
        place.install()
        said.append(place.says("--version"))

    assert said == [f"zoomsync {version}\n" for version in (OLD, NEW, OLD)]
    (installed,) = place.venv.glob("lib/python3*/site-packages/zoomsync")
    assert files(installed / "share") == files(ROOT / "zoomsync/share")
    assert files(installed / "share").keys() >= {"config.example.yaml", "requirements-runtime.lock", "doc/CHANGELOG.md"}
    assert (place.venv / "share/man/man1/zoomsync.1").is_file()
    assert f"copy {installed}/share/config.example.yaml to {place.checkout}/config.yaml" in place.says("status")


def files(folder: Path) -> dict[str, bytes]:
    """What lies below a folder; links are what they lead to."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_the_newest_heading_of_the_changelog_is_the_version() -> None:
    headings = [line for line in (ROOT / "zoomsync/share/doc/CHANGELOG.md").read_text().splitlines() if "## " in line]

    assert headings[0].startswith(f"## {NEW} – 20")
