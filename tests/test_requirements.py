"""What zoomsync is installed with: locks with hashes that agree with each other and with `pyproject.toml`."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-runtime.lock")
REPAIRED = {
    "urllib3": (2, 6, 3),  # https://github.com/urllib3/urllib3/security/advisories
    "requests": (2, 32, 4),  # https://github.com/psf/requests/security/advisories/GHSA-9hjg-9r4m-mvj7
}
"""The first release without a published hole."""


def locked(name: str) -> dict[str, tuple[int, ...]]:
    """Package → version of a lock."""
    found = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE)
    return {package: version(text) for package, text in found}


def version(text: str) -> tuple[int, ...]:
    """To compare with."""
    return tuple(int(part) for part in re.findall(r"\d+", text))


def floors() -> dict[str, tuple[int, ...]]:
    """Package → lowest version of `pyproject.toml`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {name: version(text) for name, _, text in (one.partition(">=") for one in project["dependencies"])}


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    packages = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]

    assert [one for one in packages if "--hash=sha256:" not in one] == []
    assert re.findall(r"://|^-", text, re.MULTILINE) == []


def test_what_zoomsync_runs_on_is_what_was_tested() -> None:
    runtime = locked("requirements-runtime.lock")

    assert runtime.items() <= locked("requirements.lock").items()
    assert {name: runtime[name] >= floor for name, floor in floors().items()} == dict.fromkeys(floors(), True)


def test_no_floor_admits_a_release_with_a_published_hole() -> None:
    assert {name: floors()[name] >= repaired for name, repaired in REPAIRED.items()} == dict.fromkeys(REPAIRED, True)


def test_nothing_for_development_is_in_the_lock_to_run_on() -> None:
    assert locked("requirements-runtime.lock").keys().isdisjoint({"pytest", "mypy", "ruff", "hypothesis"})
