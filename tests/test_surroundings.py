"""Whatever machine and shell it runs in, zoomsync prints the same; and tests reach no other machine."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.e2e.harness import NOW, a_site
from tests.sandbox.worlds import small_world

ROOT = str(Path(__file__).parent.parent)
USUAL = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/tmp"}
SURROUNDINGS = {
    "no HOME, no locale, no zone": {},
    "Turkish, and half an hour off": {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kolkata", "HOME": "/nowhere"},
    "C, and another day": {"LC_ALL": "C", "TZ": "Pacific/Kiritimati"},
    "what is not there": {"LANG": "xx_YY", "TZ": "Nowhere/Land"},
    "POSIX, and one who wants Latin-1": {"LC_ALL": "POSIX", "PYTHONIOENCODING": "latin-1"},
}
LOCALES = {
    "Latin-1": {"LC_ALL": "de_DE.ISO-8859-1"},
    "EUC": {"LC_ALL": "ja_JP.EUC-JP"},
    "ASCII, not raised to UTF-8": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
TOPIC = "Café 会議 🎉"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site after a pass, in a folder whose name has blanks and umlauts."""
    found = tmp_path_factory.mktemp("surroundings") / "Söhne und Töchter"
    found.mkdir()
    with a_site(found, small_world(NOW, has_media=False)) as site:
        site.sync()
    return found


@pytest.fixture(scope="module")
def usual(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is printed about the same site in a folder with a plain name."""
    plain = tmp_path_factory.mktemp("plain") / "site"
    shutil.copytree(folder, plain)
    return printed(plain, USUAL)


def printed(folder: Path, environ: Mapping[str, str]) -> str:
    """What `--version`, `status` and a story print in processes with this environment alone; ages and free space go."""
    env, outputs = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, **environ}, []
    for command in ("--version", "status", "status --meeting Plain"):
        argv = [sys.executable, "-m", "zoomsync", *command.split()]
        ended = subprocess.run(argv, cwd=folder, env=env, capture_output=True, check=True)
        assert ended.stderr == b""
        outputs.append(ended.stdout.decode())
    return re.sub(r"[\w .]+ (ago|free)", r"… \1", "".join(outputs))


@pytest.mark.parametrize("environ", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_the_same_is_printed_in_all_surroundings(folder: Path, usual: str, environ: dict[str, str]) -> None:
    assert printed(folder, environ) == usual
    assert "“Plain meeting”" in usual
    assert "began        2026-03-08 09:30 UTC" in usual


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the locales whose letters are no UTF-8, if this machine can make them; else they count as C."""
    made = tmp_path_factory.mktemp("locales")
    if localedef := shutil.which("localedef"):
        for name in ("de_DE.ISO-8859-1", "ja_JP.EUC-JP"):
            language, _, charmap = name.partition(".")
            subprocess.run([localedef, "-i", language, "-f", charmap, made / name], capture_output=True, check=False)
    return str(made)


@pytest.mark.parametrize("environ", LOCALES.values(), ids=LOCALES)
def test_names_texts_and_files_are_utf_8_in_every_locale(tmp_path: Path, locales: str, environ: dict[str, str]) -> None:
    folder, now = tmp_path / "Größe", datetime.now(UTC)
    folder.mkdir()
    world = small_world(now)
    texts = world.names["texts"]
    world.meetings = {texts: replace(world.meetings[texts], topic=TOPIC)}
    changes = {"title": "Übung {topic}", "delete_recordings": "trash", "delete_after": "0s"}
    with a_site(folder, world, filter_accounts=["alice@example.org"], **changes) as site:
        site.clock.advance(seconds=(now - NOW).total_seconds())
        site.sandbox.settings.client_secret = "geheim-ö-ж"
        site.configure()
        config = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
        (folder / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
        outputs = []
        for command in ("sync", "sync --log-format json", "status --meeting Café", "--json status --meeting 会議"):
            argv = [sys.executable, "-m", "zoomsync", *command.split()]
            env = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, "LOCPATH": locales, "PYTHONSAFEPATH": "1"}
            ended = subprocess.run(argv, cwd=folder, env=env | environ, capture_output=True, check=False)
            outputs.append((ended.returncode, ended.stdout.decode() + ended.stderr.decode()))

    manifest = next(site.root.rglob("recording.json"))
    assert [code for code, _ in outputs] == [0] * 4, outputs
    assert [TOPIC in outputs[index][1] for index in (0, 2, 3)] == [True] * 3
    assert TOPIC in manifest.parent.name
    assert f"Übung {TOPIC}" in manifest.read_text("utf-8")
    assert TOPIC in (folder / "state" / "audit.jsonl").read_text("utf-8")
    assert [entry.topic for entry in site.state().entries.values()] == [TOPIC]


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org", "localhost.example.org", ""])
@pytest.mark.parametrize("call", ["connect", "connect_ex"])
def test_a_test_that_reaches_out_fails_and_says_to_whom(call: str, host: str) -> None:
    with socket.socket() as one, pytest.raises(AssertionError, match=rf"a test reached out to \('{host}', 9\)"):
        getattr(one, call)((host, 9))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_test_may_reach_its_own_machine(host: str) -> None:
    with socket.socket() as server, socket.socket() as one:
        server.bind(("127.0.0.1", 0))
        server.listen()

        assert one.connect_ex((host, server.getsockname()[1])) == 0


def test_root_runs_every_test() -> None:
    """So one run has them all: what only another user could see is made to fail by other means."""
    files = Path(ROOT, "tests").rglob("*.py")
    skipping = [path.name for path in files if re.search(r"skip(if)?\([^)]*uid\(\) == 0", path.read_text("utf-8"))]

    assert skipping == []
