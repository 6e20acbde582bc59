"""Real stores: what is promised holds on each of them, and their troubles become errors that say what to do."""

import hashlib
import http.server
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.destinations.contract import (
    CAPTIONS,
    LATE,
    VIDEO,
    a_context,
    a_staged,
    an_attachment,
    an_item,
    with_files,
    without,
)
from tests.destinations.rclone.stores import (
    READER,
    Gate,
    Server,
    Shared,
    a_bucket,
    a_remote,
    obscured,
    on_server,
    served,
    shared_rclone,
    unattached,
)
from tests.fakes import FakeClock, a_meeting, a_user
from tests.readme import blocks, chapter
from zoomsync.destinations.rclone.client import Client
from zoomsync.destinations.rclone.destination import RcloneDestination
from zoomsync.destinations.rclone.remote import Remote
from zoomsync.errors import (
    ConfigError,
    Forbidden,
    LibraryUnusable,
    MeetingFailed,
    NotAuthorized,
    ServiceUnavailable,
    Stopped,
    Unfit,
    Unreachable,
    ZoomsyncError,
)
from zoomsync.http import brief
from zoomsync.model import Item, Receipt

Store: TypeAlias = Callable[[], str]
"""Makes a new one, empty, and says how the config names it."""


def publish(destination: RcloneDestination, item: Item, previous: Receipt | None = None) -> Receipt:
    return destination.publish(item, destination.author_for(a_user()), previous)


def on_s3(rclone: Shared, folder: Path, request: pytest.FixtureRequest) -> str:
    del folder
    return f"{a_bucket(rclone, request.getfixturevalue('s3'))}/zoom"


def on_webdav(rclone: Shared, folder: Path, request: pytest.FixtureRequest) -> str:
    del request
    (folder / "store").mkdir()
    return on_server(rclone, served(rclone, "webdav", folder / "store"), "webdav")


def on_sftp(rclone: Shared, folder: Path, request: pytest.FixtureRequest) -> str:
    del request
    (folder / "store").mkdir()
    return on_server(rclone, served(rclone, "sftp", folder / "store"), "sftp")


def on_crypt(rclone: Shared, folder: Path, request: pytest.FixtureRequest) -> str:
    below = on_s3(rclone, folder, request)
    return f"{rclone.add(type='crypt', remote=below, password=obscured(rclone, 'sesame'))}:"


STORES = [
    pytest.param(on_s3, "by the store's MD5", id="s3"),
    pytest.param(on_webdav, "read back", id="webdav"),
    pytest.param(on_sftp, "by the store's", id="sftp"),
    pytest.param(on_crypt, "read back", id="crypt"),
]


@pytest.mark.parametrize(("make", "proof"), STORES)
def test_an_item_is_stored_found_and_proven(
    make: Callable[[Shared, Path, pytest.FixtureRequest], str],
    proof: str,
    rclone: Shared,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    where = make(rclone, tmp_path, request)
    first = a_remote(rclone, where)
    new = publish(first, an_item(tmp_path / "staging"))
    late = publish(first, without(an_item(tmp_path / "staging", late=LATE), "video", "captions"), new)
    first.detach()

    later = a_remote(rclone, where, number=2)
    verdict = later.verify(later.find(late.uuid) or late)
    known = later.verify(late)
    rebuilt = a_staged(tmp_path / "staging", "video.mp4", VIDEO * 2, made_of=("file-video", "file-2"))
    kept = [a_staged(tmp_path / "staging", "captions.vtt", CAPTIONS, source=None)]
    again = publish(later, with_files(a_meeting(files=()), [rebuilt, *kept]), late)

    assert (verdict.safe, known.safe, later.verify(again).safe) == (True, True, True)
    assert proof in known.reason
    assert [file.name for file in again.files] == ["video.v2.mp4", "captions.vtt"]
    assert {name: one.size for name, one in later.remote.files(again.place).items() if name != "recording.json"} == {
        "video.v2.mp4": rebuilt.size,
        "captions.vtt": len(CAPTIONS),
    }
    assert not known.removed
    assert later.remote.folders() is not None
    assert [row.result for row in later.survey()] == ["confirmed"] * 3
    assert "written and read back" in later.check()


def test_what_only_the_uploader_says_of_a_file_proves_nothing(rclone: Shared, s3: Server, tmp_path: Path) -> None:
    where = a_bucket(rclone, s3, upload_cutoff="5Mi", chunk_size="5Mi")
    destination = a_remote(rclone, where)
    large = a_staged(tmp_path / "staging", "video.mp4", VIDEO[:3] * 2_000_000)
    receipt = publish(destination, with_files(a_meeting(files=()), [large]))
    name, _, bucket = where.partition(":")
    other = b"Y" * large.size
    (tmp_path / "other").write_bytes(other)
    outsider = Remote(f"{name},disable_checksum=false:{bucket}", destination.remote.client)
    outsider.upload(tmp_path / "other", f"{receipt.place}/video.mp4", lambda _: None)

    verdict = destination.verify(receipt)

    assert (verdict.safe, verdict.lacking) == (False, ("video.mp4",))


def test_a_hash_that_another_store_gave_proves_nothing_of_a_copy(rclone: Shared, s3: Server, tmp_path: Path) -> None:
    first, there = a_remote(rclone, a_bucket(rclone, s3)), a_bucket(rclone, s3, upload_cutoff="5Mi", chunk_size="5Mi")
    large = a_staged(tmp_path / "staging", "video.mp4", VIDEO[:3] * 2_000_000)
    receipt = publish(first, with_files(a_meeting(files=()), [large]))
    first.detach()
    call, stated = first.remote.client.call, f"{there.replace(':', ',disable_checksum=true:')}/{receipt.place}"
    assert call("sync/copy", srcFs=first.remote.fs, dstFs=there).is_good
    later = a_remote(rclone, there, number=2)
    honest, due = later.verify(receipt), later.to_download(receipt)
    (tmp_path / "video.mp4").write_bytes(b"Y" * large.size)
    md5 = hashlib.md5(VIDEO[:3] * 2_000_000, usedforsecurity=False)
    said = {"Metadata": True, "MetadataSet": {"md5chksum": b64encode(md5.digest()).decode()}, "IgnoreChecksum": True}
    bad: dict[str, Any] = {"srcFs": str(tmp_path), "srcRemote": "video.mp4", "dstFs": stated, "dstRemote": "video.mp4"}
    assert call("operations/copyfile", **bad, _config=said).is_good

    verdict = later.verify(receipt)

    assert later.remote.files(receipt.place)["video.mp4"].hash == md5.hexdigest()
    assert (honest.safe, due, first.to_download(receipt)) == (True, large.size, 0)
    assert (verdict.safe, verdict.lacking) == (False, ("video.mp4",))


@pytest.mark.parametrize(
    ("where", "config", "environ"),
    [
        ("local:", {"local": "type = hasher\nremote = {below}\nhashes = sha256"}, {}),
        ("local:", {"local": "type = webdav\nurl = {url}\nvendor = owncloud"}, {}),
        ("local:", {}, {"RCLONE_CONFIG_LOCAL_TYPE": "webdav", "RCLONE_CONFIG_LOCAL_URL": "{url}"}),
        ("dav:", {}, {"RCLONE_CONFIG_DAV_TYPE": "webdav", "RCLONE_CONFIG_DAV_URL": "{url}"}),
        ("all:dav", {"dav": "type = webdav\nurl = {url}", "all": "type = combine\nupstreams = dav=dav:"}, {}),
        ("over:", {"over": 'type = alias\nremote = :webdav,url="{url}":'}, {}),
    ],
)
def test_what_a_remote_is_nobody_guesses_by_its_name(
    tmp_path: Path, where: str, config: dict[str, str], environ: dict[str, str]
) -> None:
    with a_full_store() as url:
        put = {"below": str(tmp_path), "url": url}
        lines = "".join(f"[{name}]\n{said.format(**put)}\n" for name, said in config.items())
        more = {name: value.format(**put) for name, value in environ.items()}
        with shared_rclone(tmp_path, lines, more) as rclone:
            destination = unattached(rclone, where)
            destination.remote.open()
            found = destination.remote.abilities

    assert found is not None
    assert (found.proof, found.loses_files) == ("", "hasher" not in lines)


ON_S3 = "[store]\ntype = s3\nprovider = Other\nendpoint = http://{0}.invalid\n"
BY_URL = "[store]\ntype = azureblob\nsas_url = https://{0}.invalid/box?sv=1&sig={1}\n"
BY_WORDS = "[store]\ntype = azureblob\nconnection_string = AccountName={0};AccountKey={1};EndpointSuffix=invalid\n"
AN_ALIAS = "[store]\ntype = alias\nremote = /{0}.invalid\ndescription = {1}\n"


@pytest.mark.parametrize(
    "lines", [ON_S3, BY_URL, BY_WORDS, AN_ALIAS], ids=["endpoint", "sas_url", "connection_string", "alias"]
)
def test_a_store_is_another_one_by_where_it_is_and_never_by_its_secret(tmp_path: Path, lines: str) -> None:
    with shared_rclone(tmp_path) as rclone:

        def mark(where: str, secret: str, **environ: str) -> str:
            rclone.config.write_text(lines.format(where, secret))
            rclone.process.environ = environ
            remote = unattached(rclone, "store:box").remote
            remote.open()
            return remote.mark

        one = mark("one", "c2VjcmV0")

        assert mark("one", "renewed", RCLONE_S3_SECRET_ACCESS_KEY="renewed") == one
        assert len({one, mark("two", "c2VjcmV0"), mark("one", "c2VjcmV0", RCLONE_S3_ENDPOINT="http://x.invalid")}) == 3


def test_a_file_in_several_parts_is_read_back(rclone: Shared, s3: Server, tmp_path: Path) -> None:
    destination = a_remote(rclone, a_bucket(rclone, s3, upload_cutoff="5Mi", chunk_size="5Mi"))
    large = a_staged(tmp_path / "staging", "video.mp4", VIDEO[:3] * 2_000_000)
    receipt = publish(destination, with_files(a_meeting(files=()), [large]))

    verdict = destination.verify(receipt)

    assert verdict.safe
    assert "6.0 MB read back" in verdict.reason
    assert destination.to_download(receipt) == large.size
    assert destination.verify(replace(receipt, files=(replace(receipt.files[0], sha256="0" * 64),))).safe is False


def test_a_file_below_the_cutoff_goes_in_one_part_however_large_it_is(
    rclone: Shared, s3: Server, tmp_path: Path
) -> None:
    destination = a_remote(rclone, a_bucket(rclone, s3, upload_cutoff="1Gi"))
    assert destination.remote.client.call("options/set", main={"MultiThreadCutoff": "5Mi"}).is_good
    large = a_staged(tmp_path / "staging", "video.mp4", VIDEO[:3] * 2_000_000)

    receipt = publish(destination, with_files(a_meeting(files=()), [large]))
    destination.remote.client.call("options/set", main={"MultiThreadCutoff": "256Mi"})

    assert destination.to_download(receipt) == 0


def test_an_old_file_goes_by_the_hash_of_the_store_and_is_not_read(rclone: Shared, s3: Server, tmp_path: Path) -> None:
    gate = Gate(s3)
    destination = a_remote(rclone, a_bucket(rclone, Server(gate.address)))
    item = a_video(tmp_path / "staging")
    first, before = publish(destination, item), gate.bytes
    small = a_staged(tmp_path / "staging", "video.mp4", VIDEO, made_of=("file-video", "file-2"))

    second = publish(destination, with_files(a_meeting(files=()), [small]), first)
    gate.close()

    assert gate.bytes - before < item.files[0].size
    assert {*destination.remote.files(second.place)} == {"video.v2.mp4", "recording.json"}


def test_a_wrong_secret_is_refused_before_anything_is_done(rclone: Shared, s3: Server) -> None:
    bucket = a_bucket(rclone, s3).partition(":")[2]
    destination = unattached(rclone, f"{rclone.add(**s3.as_s3(secret='wrong'))}:{bucket}/zoom")

    with pytest.raises(NotAuthorized, match="SignatureDoesNotMatch") as raised:
        destination.attach(an_attachment())

    assert (raised.value.code, raised.value.service, raised.value.subject) == (3, "remote", None)
    assert "rclone" in raised.value.hint


def test_who_may_only_read_is_told_so_at_the_start(rclone: Shared, s3: Server) -> None:
    bucket = a_bucket(rclone, s3).partition(":")[2]
    destination = unattached(rclone, f"{rclone.add(**s3.as_s3(access_key_id=READER))}:{bucket}")

    with pytest.raises(Forbidden, match="AccessDenied") as raised:
        destination.attach(an_attachment())

    assert (raised.value.code, raised.value.service) == (3, "remote")
    assert "write" in raised.value.hint


@pytest.mark.parametrize(("number", "said"), [(1, "NoSuchBucket"), (2, "missing, it should hold library")])
def test_a_bucket_that_is_not_there_is_not_made(rclone: Shared, s3: Server, number: int, said: str) -> None:
    where = f"{rclone.add(**s3.as_s3())}:{uuid.uuid4().hex}"
    destination = unattached(rclone, where)

    with pytest.raises(LibraryUnusable, match=said) as raised:
        destination.attach(an_attachment(number))

    assert (raised.value.code, raised.value.service) == (5, "remote")
    assert destination.remote.folders() is None


def test_a_bucket_that_goes_in_mid_pass_ends_it(rclone: Shared, s3: Server, tmp_path: Path) -> None:
    destination = a_remote(rclone, a_bucket(rclone, s3))
    publish(destination, an_item(tmp_path / "staging"))
    remote = destination.remote
    assert remote.client.call("operations/purge", fs=remote.fs, remote="").is_good

    with pytest.raises(LibraryUnusable):
        publish(destination, an_item(tmp_path / "staging", a_meeting(uuid="other==", files=())))
    with pytest.raises(LibraryUnusable, match="went away"):
        destination.ping()


@pytest.mark.parametrize("prefix", ["", "/a/prefix"])
@pytest.mark.parametrize("wraps", ["alias", "crypt"])
def test_below_another_remote_a_store_that_does_not_answer_is_told_as_it_is(
    rclone: Shared, s3: Server, wraps: str, prefix: str
) -> None:
    secret = {"password": obscured(rclone, "sesame")} if wraps == "crypt" else {}
    bucket = a_bucket(rclone, s3).partition(":")[2]
    no_port = Server("127.0.0.1:1")
    for options, kind in ((s3.as_s3(secret="wrong"), NotAuthorized), (no_port.as_s3(), Unreachable)):
        where = rclone.add(type=wraps, remote=f"{rclone.add(**options)}:{bucket}{prefix}", **secret)
        with pytest.raises(kind, match=f"{wraps}.*(SignatureDoesNotMatch|refused)"):
            unattached(rclone, f"{where}:zoom").attach(an_attachment())


def test_with_another_password_of_the_crypt_the_library_is_missing_and_that_is_asked_for(
    rclone: Shared, tmp_path: Path
) -> None:
    places = [
        rclone.add(type="crypt", remote=str(tmp_path / "store"), password=obscured(rclone, one)) for one in ("a", "b")
    ]
    for path in ("", "zoom"):
        a_remote(rclone, f"{places[0]}:{path}").detach()
        with pytest.raises(LibraryUnusable, match="missing") as raised:
            a_remote(rclone, f"{places[1]}:{path}", number=2)
        assert "is the password of the crypt remote the right one?" in raised.value.hint


def test_a_relative_path_is_refused_as_it_depends_on_where_the_pass_is_started(rclone: Shared) -> None:
    with pytest.raises(ConfigError, match="by a relative path") as raised:
        unattached(rclone, f"{rclone.add(type='alias', remote='nas')}:zoom").attach(an_attachment(dry_run=True))

    assert (raised.value.code, raised.value.service) == (2, "config")
    assert "absolute path" in raised.value.hint


def test_a_union_is_refused_as_it_hides_what_a_store_that_fails_has(rclone: Shared, tmp_path: Path) -> None:
    union = rclone.add(type="union", upstreams=f"{tmp_path / 'one'} {tmp_path / 'two'}")

    with pytest.raises(ConfigError, match="leads to a union") as raised:
        unattached(rclone, f"{rclone.add(type='alias', remote=f'{union}:zoom')}:").attach(an_attachment(dry_run=True))

    assert (raised.value.code, raised.value.service) == (2, "config")


def test_what_cannot_be_sent_is_never_taken_for_sent(rclone: Shared, tmp_path: Path) -> None:
    destination = unattached(rclone, f"{rclone.add(type='alias', remote=str(tmp_path / 'remote'))}:")

    with pytest.raises(ServiceUnavailable, match="not found"):
        destination.remote.upload(tmp_path / "nothing", "there", lambda _: None)

    assert destination.remote.read_back("there", lambda _: None) is None


def test_a_name_that_leads_nowhere_is_the_configs_fault(rclone: Shared) -> None:
    with pytest.raises(ZoomsyncError, match="nowhere") as raised:
        unattached(rclone, "nowhere:box").attach(an_attachment())

    assert raised.value.code == 2
    assert list(unattached(rclone, "nowhere:box").survey()) == []


def test_a_damaged_ciphertext_is_never_taken_for_whole(
    rclone: Shared, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    below = on_s3(rclone, tmp_path, request)
    secret = {"type": "crypt", "remote": below, "password": obscured(rclone, "sesame"), "filename_encryption": "off"}
    destination = a_remote(rclone, f"{rclone.add(**secret)}:")
    receipt = publish(destination, an_item(tmp_path / "staging"))
    plain = unattached(rclone, below)
    path = f"{receipt.place}/video.mp4.bin"
    content = plain.remote.read(path) or b""
    plain.remote.write(path, content[:-1] + bytes([content[-1] ^ 1]))

    verdict = destination.verify(receipt)

    assert not verdict.safe
    assert "decrypt" in verdict.reason


@pytest.mark.parametrize("name", ["recording.json", "library.json"])
def test_a_damaged_ciphertext_of_a_document_is_named(rclone: Shared, tmp_path: Path, name: str) -> None:
    secret = {"password": obscured(rclone, "sesame"), "filename_encryption": "off"}
    where = f"{rclone.add(type='crypt', remote=str(tmp_path / 'store'), **secret)}:"
    destination = a_remote(rclone, where)
    receipt = publish(destination, an_item(tmp_path / "staging"))
    (path,) = (tmp_path / "store").rglob(f"{name}.bin")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    with pytest.raises(MeetingFailed if name == "recording.json" else LibraryUnusable, match=name) as raised:
        destination.find(receipt.uuid, receipt)
        destination.ping()

    assert "decrypt" in str(raised.value)
    assert "crypt" in raised.value.hint


@contextmanager
def a_full_store() -> Iterator[str]:
    """A WebDAV server that has no room."""

    class Full(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PROPFIND(self) -> None:
            self.answer(404)

        def do_MKCOL(self) -> None:
            self.answer(201)

        def do_PUT(self) -> None:
            self.answer(507)

        def answer(self, status: int) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))  # or it is taken for the next request
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Full) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_store_without_room_says_so(rclone: Shared) -> None:
    with a_full_store() as url, pytest.raises(Unfit, match=r"507|Insufficient") as raised:
        unattached(rclone, f"{rclone.add(type='webdav', url=url)}:zoom").attach(an_attachment())

    assert (raised.value.service, raised.value.code) == ("remote", 5)
    assert "quota" in raised.value.hint


def a_video(folder: Path, size: int = 3_000_000) -> Item:
    return with_files(a_meeting(files=()), [a_staged(folder, "video.mp4", VIDEO[:3] * (size // 3))])


def test_a_connection_that_is_cut_costs_this_meeting_alone(rclone: Shared, s3: Server, tmp_path: Path) -> None:
    gate = Gate(s3)
    destination = a_remote(rclone, a_bucket(rclone, Server(gate.address)))
    gate.cut_after = 1_000_000

    with pytest.raises(Unreachable) as raised:
        publish(destination, a_video(tmp_path / "staging"))
    gate.cut_after = None

    assert raised.value.subject is not None
    assert raised.value.subject.kind == "meeting"
    assert destination.find("/abc//DEF+ghi==") is None
    destination.ping()
    assert destination.verify(publish(destination, a_video(tmp_path / "staging"))).safe
    gate.close()


def test_a_store_that_does_not_answer_is_not_asked_for_long_and_a_cut_upload_is_sent_again(
    rclone: Shared, s3: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rclone.process, "tries", 2)
    gate = Gate(s3)
    below = a_bucket(rclone, Server(gate.address))
    destination = a_remote(rclone, f"{rclone.add(type='crypt', remote=below, password=obscured(rclone, 'sesame'))}:")
    gate.cut_after, before = 0, len(gate.requests)
    with pytest.raises(Unreachable):
        destination.ping()
    asked = len(gate.requests) - before
    gate.cut_after, sent = 1_000_000, list[int]()
    for is_of_one_that_failed_before in (False, True):
        before = len(gate.requests)
        with pytest.raises(Unreachable), brief(on=is_of_one_that_failed_before):
            destination.remote.upload(a_video(tmp_path).files[0].source or tmp_path, "video.mp4", lambda _: None)
        sent.append(sum(one.startswith("PUT ") for one in gate.requests[before:]))
    gate.close()

    assert asked <= 3  # Go repeats one by itself, if it was sent on a connection that had been kept
    assert sent == [2, 1]


class Hurried(FakeClock):
    """Each look at it finds it two minutes later."""

    def monotonic(self) -> float:
        self.advance(120)
        return super().monotonic()


@pytest.mark.parametrize("how", ["stalls", "is stopped"])
def test_a_store_that_stands_still_is_not_waited_for(
    rclone: Shared, s3: Server, tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="zoomsync")
    gate, clock = Gate(s3), Hurried() if how == "stalls" else FakeClock()
    destination = a_remote(rclone, a_bucket(rclone, Server(gate.address)), a_context(clock=clock))
    gate.is_closed = True
    if how == "is stopped":
        threading.Timer(0.3, clock.stop).start()
    begun = time.monotonic()

    with pytest.raises(ServiceUnavailable if how == "stalls" else Stopped):
        publish(destination, a_video(tmp_path / "staging"))

    assert time.monotonic() - begun < 10
    assert sum("it is waited for" in one for one in caplog.messages) == (how == "stalls")
    gate.is_closed = False
    gate.close()


def test_the_bytes_of_an_upload_are_told_as_they_leave(rclone: Shared, s3: Server, tmp_path: Path) -> None:
    class Quick(FakeClock):
        def monotonic(self) -> float:
            self.advance(1)
            return super().monotonic()

    gate, moved = Gate(s3), list[int]()
    destination = a_remote(rclone, a_bucket(rclone, Server(gate.address)), a_context(clock=Quick()))
    item = a_video(tmp_path / "staging", 12_000_000)
    source = item.files[0].source
    assert source is not None
    gate.delay = 0.002  # else all of it is in the buffers of the kernel at once
    destination.remote.upload(source, "probe", moved.append)
    gate.close()

    assert len(moved) > 1
    assert sum(moved) == item.files[0].size
    assert destination.remote.files("")["probe"].size == item.files[0].size


def test_a_staged_file_that_was_altered_is_not_sent(rclone: Shared, s3: Server, tmp_path: Path) -> None:
    destination = a_remote(rclone, a_bucket(rclone, s3))
    item = a_video(tmp_path / "staging")
    assert item.files[0].source is not None
    item.files[0].source.write_bytes(b"Z" * item.files[0].size)

    with pytest.raises(MeetingFailed, match="changed in staging"):
        publish(destination, item)

    assert destination.find(item.meeting.uuid) is None


@pytest.mark.parametrize("block", blocks("ini", chapter("remotes")))
def test_what_the_manual_writes_into_rclones_config_is_known_to_rclone(rclone: Shared, block: str) -> None:
    parsed = ConfigParser(interpolation=None)
    parsed.read_string(block)
    (name,) = parsed.sections()
    client = Client(rclone=rclone.process, clock=FakeClock())
    providers = client.call("config/providers").document["providers"]
    known = {one["Prefix"]: {option["Name"] for option in one["Options"]} for one in providers}

    assert {*parsed[name]} - {"type"} <= known[parsed[name]["type"]]
