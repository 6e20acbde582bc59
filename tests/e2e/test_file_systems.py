"""File systems as they really are: without links, modes, locks or flushes; odd paths, odd files, any umask.

What a mount refuses is simulated where the program asks the system: `auth-check` and `sync` must agree about each.
"""

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site
from tests.sandbox import faults
from tests.sandbox.stage import Stage
from zoomsync import files

KEEP = {"destination": {"dir_mode": "keep", "file_mode": "keep"}}
Refuse = Callable[..., None]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """`refuse("link", EPERM, folder)`: from now on this call of `os` is refused for every path below the folder."""

    def refuse(
        call: str, number: int, folder: Path, *, at: int = 0, if_: Callable[[Path], bool] = lambda _: True
    ) -> None:
        real = getattr(os, call)

        def refusing(*given: Any, **options: Any) -> Any:
            what = given[at]
            path = Path(f"/proc/self/fd/{what}").readlink() if isinstance(what, int) else Path(what)
            if path.is_relative_to(folder) and if_(path):
                raise OSError(number, os.strerror(number), str(path))
            return real(*given, **options)

        monkeypatch.setattr(os, call, refusing)

    return refuse


@pytest.fixture
def site(begin: Begin, stage: Stage) -> Site:
    """One meeting with captions; nothing of it was fetched yet."""
    return begin(with_captions(stage).world)


def with_captions(stage: Stage) -> Stage:
    stage.meeting("m", "alice", 2, "Weekly planning")
    stage.video("m")
    stage.transcript("m")
    return stage


def checked(site: Site) -> tuple[int, list[str]]:
    """What `auth-check` says of folders: its code, and each message that is not ok with its remedy."""
    result = site.run("--json", "auth-check", "--only", "local")
    more = site.run("--json", "auth-check", "--only", "destination")
    rows = [*result.document["checks"], *more.document["checks"]]
    said = [f"{row['message']} ({row['hint']})".replace(str(site.folder), "") for row in rows if row["level"] == "fail"]
    return max(result.code, more.code), [*dict.fromkeys(said)]


def probes(site: Site) -> list[Path]:
    return [path for path in site.folder.rglob("*") if "probe" in path.name]


# Links


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_views_that_share_a_segment_need_no_links(begin: Begin, stage: Stage, refuse: Refuse, number: int) -> None:
    stage.meeting("m", "alice", 2, "Shared")
    stage.video("m", 1)
    stage.video("m", 1, "gallery_view")
    stage.video("m", 2, "gallery_view", at=60, width=240)
    site = begin(stage.world, reencode=False)
    refuse("link", number, site.folder)

    result = site.sync()

    names = ["video.1.gallery_view.mp4", "video.1.mp4", "video.2.gallery_view.mp4", "video.2.mp4"]
    assert (result.code, site.names("m"), site.leftovers()) == (0, names, [])
    assert len({(site.item("m") / name).stat().st_ino for name in names}) == 4
    assert site.sync().counts == {"up_to_date": 1, "calls": 3}


# Modes and group


def test_modes_that_a_mount_refuses_are_fine_if_nobody_may_do_more(site: Site, refuse: Refuse) -> None:
    for call in ("chmod", "fchmod"):
        refuse(call, errno.EPERM, site.root, if_=lambda path: path.suffix not in (".mp4", ".vtt"))

    assert checked(site) == (0, [])
    assert site.sync().code == 0


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_a_mount_that_lets_everybody_in_and_refuses_modes_is_told_with_the_remedy_and_left_alone_with_keep(
    site: Site, monkeypatch: pytest.MonkeyPatch, refuse: Refuse, number: int
) -> None:
    site.root.mkdir()
    give_everybody(monkeypatch, site.root)
    for call in ("chmod", "fchmod", "chown"):
        refuse(call, number, site.root)

    before = checked(site), site.sync()
    site.configure(**KEEP)
    after = checked(site), site.sync()

    (code, said), refused = before
    assert (code, refused.code, probes(site)) == (5, 5, [])
    for text in (*said, refused.stderr):
        assert f"{os.strerror(number).lower()}: its mode stays 0755 instead of 0750" in text
        assert "set destination.dir_mode and destination.file_mode to keep" in text
    assert (after[0], after[1].code, probes(site)) == ((0, []), 0, [])
    assert {stat.S_IMODE(path.stat().st_mode) for path in site.files()} == {0o755}


def test_a_mount_that_takes_modes_and_keeps_its_own_is_told_with_the_remedy_and_left_alone_with_keep(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.root.mkdir()
    give_everybody(monkeypatch, site.root)
    real = os.chmod
    below = str(site.root)
    monkeypatch.setattr(
        os, "chmod", lambda path, mode, **k: None if str(path).startswith(below) else real(path, mode, **k)
    )

    before = checked(site), site.sync()
    site.configure(**KEEP)
    after = checked(site), site.sync()

    (code, said), refused = before
    assert (code, refused.code, probes(site)) == (5, 5, [])
    for text in (*said, refused.stderr):
        assert "its mount decides about modes: its mode stays 0755 instead of 0750" in text
        assert "set destination.dir_mode and destination.file_mode to keep" in text
    assert (after[0], after[1].code, probes(site)) == ((0, []), 0, [])


def give_everybody(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make every file and folder below readable by all, as a mount does that has no modes."""
    mkdir, opening, chmod = os.mkdir, os.open, os.fchmod

    def opened(path: Any, flags: int, *more: Any, **options: Any) -> int:
        descriptor = opening(path, flags, *more, **options)
        if flags & os.O_CREAT and Path(path).is_relative_to(folder):
            chmod(descriptor, 0o755)
        return descriptor

    monkeypatch.setattr(os, "mkdir", lambda path, *_, **__: mkdir(path, 0o755))
    monkeypatch.setattr(os, "open", opened)


def test_a_group_that_may_not_be_given_is_told_by_both(begin: Begin, stage: Stage, refuse: Refuse) -> None:
    site = begin(with_captions(stage).world, destination={"group": 54321})
    refuse("chown", errno.EPERM, site.folder)

    (code, said), refused = checked(site), site.sync()

    assert (code, refused.code, len(said)) == (5, 5, 1)
    assert "operation not permitted (check owner and mode of destination.path, destination.group" in said[0]
    assert "destination.group" in refused.stderr


@pytest.mark.parametrize(
    ("call", "at", "number"), [("mkdir", 0, errno.EACCES), ("rename", 1, errno.EACCES), ("rename", 1, errno.EXDEV)]
)
def test_a_folder_that_a_person_closed_or_mounted_costs_its_own_items_alone(
    begin: Begin, stage: Stage, monkeypatch: pytest.MonkeyPatch, refuse: Refuse, call: str, at: int, number: int
) -> None:
    stage.world.add_user("Bob Example")
    for name, host, days in (("closed", "bob", 1), ("open", "alice", 2)):
        stage.meeting(name, host, days, name)
        stage.video(name)
    site = begin(stage.world)
    folder = site.root / "published" / "bob@example.org"
    folder.mkdir(parents=True)
    refuse(call, number, folder, at=at)

    ill = [site.sync(), site.sync()]
    monkeypatch.undo()
    site.clock.advance(hours=3)
    well = site.sync()

    assert [one.code for one in (*ill, well)] == [1, 0, 0]
    assert (ill[0].counts["published"], ill[0].counts["failed"], site.leftovers()) == (1, 1, [])
    assert os.strerror(number).lower() in ill[0].stderr
    assert "its owner, mode and mount" in ill[0].stderr
    assert [site.names(name) for name in ("closed", "open")] == [["video.mp4"], ["video.mp4"]]


def test_a_folder_that_is_closed_costs_its_own_items_alone(
    begin: Begin, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.world.add_user("Bob Example")
    for name, host, days in (("closed", "bob", 2), ("open", "alice", 2)):
        stage.meeting(name, host, days, name)
        stage.video(name)
    site = begin(stage.world)
    site.sync()
    before = site.library()
    folder, item = site.root / "published" / "bob@example.org", site.item("closed")
    stage.meeting("new", "alice", 1, "new")
    stage.video("new")
    stage.transcript("closed")
    stage.transcript("open")

    def closed(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any = ".", *more: Any, **options: Any) -> Any:
            if f"{path}/".startswith(f"{folder}/"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return real(path, *more, **options)

        return call

    with monkeypatch.context() as patch:
        for name in ("open", "listdir", "scandir"):
            patch.setattr(os, name, closed(getattr(os, name)))
        ill, verified = site.sync(), site.sync("--verify")
    site.clock.advance(hours=3)
    well = site.sync()

    assert (ill.code, ill.counts["published"], ill.counts["updated"], ill.counts["failed"]) == (1, 1, 1, 1)
    assert f"{item / 'recording.json'}: permission denied" in ill.stderr
    assert (verified.code, verified.counts) == (1, {"verified": 2, "unread": 1})
    assert (well.code, well.counts["updated"], well.counts.get("published", 0)) == (0, 1, 0)
    assert before.keys() <= site.library().keys()


# Flushes and locks


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_folder_that_cannot_be_flushed_is_nothing_to_wait_for(site: Site, refuse: Refuse, number: int) -> None:
    refuse("fsync", number, site.folder, if_=Path.is_dir)

    assert (checked(site), site.sync().code) == ((0, []), 0)


@pytest.mark.parametrize("where", ["library", "state"])
def test_a_file_that_cannot_be_flushed_is_never_fine(site: Site, refuse: Refuse, where: str) -> None:
    (site.folder / where).mkdir()
    refuse("fsync", errno.EINVAL, site.folder / where, if_=lambda path: not path.is_dir())

    (code, said), refused = checked(site), site.sync()

    assert (code, refused.code, site.files()) == (5, 5, [])
    assert f"/{where}: invalid argument (check" in said[-1]


@pytest.mark.parametrize(("where", "code"), [("library", 0), ("state", 5)])
def test_a_file_system_without_locks_holds_a_library_but_no_state(
    site: Site, monkeypatch: pytest.MonkeyPatch, where: str, code: int
) -> None:
    (site.folder / where).mkdir()
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().is_relative_to(site.folder / where):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)

    (found, said), result = checked(site), site.sync()

    assert (found, result.code) == (code, code)
    assert said == (
        ["/state/state.json: its file system has no locks (set `state` to a path on a local file system)"]
        if code
        else []
    )


@pytest.mark.parametrize(("where", "key"), [("state", "state"), ("staging", "staging"), ("library", "destination")])
@pytest.mark.parametrize("call", ["mkdir", "rename"])
def test_what_a_pass_could_not_do_a_check_finds_out(
    begin: Begin, stage: Stage, refuse: Refuse, where: str, key: str, call: str
) -> None:
    site = begin(with_captions(stage).world, staging="staging")
    (site.folder / where).mkdir()
    refuse(call, errno.EACCES, site.folder / where)

    rows = site.run("--json", "auth-check").document["checks"]

    failed = {row["name"]: row["hint"] for row in rows if row["level"] == "fail"}
    assert failed[key]
    assert set(failed) <= {key, "audit"}
    assert probes(site) == []


# Paths


@pytest.mark.parametrize(
    "written",
    ["../library", "../here/../library", "./library/", "link", "link/../library", "{folder}/../library/"],
)
def test_a_library_may_be_written_in_any_way(
    begin: Begin, stage: Stage, tmp_path: Path, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = begin(with_captions(stage).world)
    for name in ("here", "elsewhere/library"):
        (tmp_path / name).mkdir(parents=True)
    site.folder = tmp_path / "here"
    (site.folder / "link").symlink_to(tmp_path / "elsewhere" / "library")
    site.configure(destination={"path": written.format(folder=site.folder)})
    monkeypatch.chdir("/")

    checks = checked(site)
    planned = site.run("--json", "sync", "--dry-run")
    result = site.sync()

    assert (checks, planned.code, result.code, site.sync().counts["up_to_date"]) == ((0, []), 0, 0, 1)
    (video,) = tmp_path.rglob("video.mp4")
    place = {"./library/": "here/library", "link": "elsewhere/library", "link/../library": "elsewhere/library"}
    assert video.relative_to(tmp_path / place.get(written, "library")).parts[0] == "published"
    assert site.state().entries[site.uuid("m")].receipt.place.startswith("published/alice@example.org/")  # type: ignore[union-attr]


# Modes whatever the umask


@contextlib.contextmanager
def the_umask(umask: int) -> Iterator[None]:
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("umask", [0, 0o002, 0o077])
def test_modes_are_exact_whatever_the_umask(begin: Begin, stage: Stage, umask: int) -> None:
    site = begin(with_captions(stage).world, delete_recordings="trash", filter_accounts=["alice@example.org"])
    with the_umask(umask):
        assert site.sync().code == 0

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [site.root, *site.root.rglob("*")]}
    own = site.root / ".zoomsync"
    published = {path: mode for path, mode in modes.items() if not path.is_relative_to(own)}
    assert {mode for path, mode in published.items() if path.is_dir()} == {0o750}
    assert {mode for path, mode in published.items() if path.is_file()} == {0o640}
    assert {str(path.relative_to(own)): mode for path, mode in modes.items() if path.is_relative_to(own)} == {
        ".": 0o750,
        "library.json": 0o640,
        "lock": 0o600,
        site.state().head.id: 0o700,
        f"{site.state().head.id}/changes": 0o700,
        f"{site.state().head.id}/staging": 0o700,
    }
    state = site.folder / "state"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()} == {0o600}


# A disk that fails


class Unreadable(io.FileIO):
    """A file on a disk that fails."""

    def read(self, _size: int | None = -1) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_what_cannot_be_read_again_is_not_deleted_in_the_cloud_and_nobody_is_said_to_have_removed_it(
    begin: Begin, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = begin(with_captions(stage).world, delete_recordings="trash", filter_accounts=["alice@example.org"])
    assert site.sync().code == 0
    site.clock.advance(days=7)
    video, real = site.item("m") / "video.mp4", files.open_file
    with monkeypatch.context() as failing:
        failing.setattr(
            files,
            "open_file",
            lambda path, *how, **more: Unreadable(path) if path == video else real(path, *how, **more),
        )
        ill = site.sync()
    kept = len(site.world.meetings[site.uuid("m")].present)
    site.clock.advance(days=1)

    well = site.sync()

    assert (ill.code, ill.counts.get("deleted"), kept, site.audit()[0]["at"][:10]) == (1, None, 2, "2026-03-18")
    assert "video.mp4: input/output error, it could not be verified" in ill.stderr
    assert (well.counts["deleted_files"], site.world.meetings[site.uuid("m")].present) == (2, [])


# Odd things in the place of our files


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


ODD = pytest.mark.parametrize("odd", [a_fifo, a_link, Path.mkdir])


@ODD
@pytest.mark.timeout(60)
def test_an_odd_recording_json_is_the_failure_of_its_item_alone(
    begin: Begin, stage: Stage, odd: Callable[[Path], None]
) -> None:
    stage.meeting("m", "alice", 2, "With a pipe")
    stage.video("m")
    stage.meeting("other", "alice", 3, "Without")
    stage.video("other")
    site = begin(stage.world)
    assert site.sync().code == 0
    manifest = site.item("m") / "recording.json"
    manifest.unlink()
    odd(manifest)
    for name in ("m", "other"):
        stage.transcript(name)

    late = site.sync()

    assert (late.code, late.counts["updated"], late.counts["failed"]) == (1, 1, 1)
    assert "recording.json: " in site.entry("m").reason
    assert site.names("other") == ["video.mp4", "video.vtt"]


@ODD
@pytest.mark.timeout(60)
def test_an_odd_marker_ends_the_pass_and_nothing_hangs(site: Site, odd: Callable[[Path], None]) -> None:
    assert site.sync().code == 0
    marker = site.root / ".zoomsync" / "library.json"
    marker.unlink()
    odd(marker)

    (code, said), refused = checked(site), site.sync()

    assert (code, refused.code, len(said)) == (5, 5, 1)
    assert "library.json: " in refused.stderr
    assert "hint" in refused.stderr


@ODD
@pytest.mark.timeout(60)
def test_odd_things_in_staging_and_among_changes_cost_their_meeting_alone(
    begin: Begin, stage: Stage, odd: Callable[[Path], None]
) -> None:
    site = begin(with_captions(stage).world)
    for name in ("a", "b"):
        stage.meeting(name, "alice", 3, name)
        site.sandbox.fail(stage.video(name).id, with_=faults.page(404), times=None)
    assert site.sync().counts["failed"] == 2
    site.clock.advance(hours=1)
    site.sandbox.heal()
    own = site.root / ".zoomsync" / site.state().head.id
    for name, place in (("a", "staging/{short}/{file}.part"), ("b", "changes/{long}/change.json")):
        path = own / place.format(**hashes(site, name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        odd(path)
    stage.meeting("new", "alice", 4, "New")
    stage.video("new")

    result = site.sync()

    assert (result.code, result.counts["published"], result.counts["failed"]) == (1, 1, 2)
    for name, place, remedy in (("a", ".part: ", "staging folder"), ("b", "change.json: ", "moved aside")):
        retry = site.entry(name).retry
        assert retry is not None
        assert (place in retry.error, remedy in retry.hint) == (True, True)


def hashes(site: Site, name: str) -> dict[str, str]:
    uuid = site.uuid(name)
    (file,) = site.world.meetings[uuid].files

    def sha256(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    return {"short": sha256(uuid)[:8], "long": sha256(uuid)[:32], "file": sha256(f"{uuid}\0{file.id}")[:32]}
