"""How bytes come from Zoom, end to end: what is stored is what Zoom has, and what never ends costs its file alone."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site, served, sha256
from tests.e2e.test_failures import some, video
from tests.sandbox import faults, texts
from tests.sandbox.content import Filler, Text
from tests.sandbox.downloads import sign_in
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Request, error
from tests.sandbox.stage import Stage


def part(site: Site) -> Path:
    """The one file that did not come whole."""
    (found,) = site.root.rglob("*.part")
    return found


def torn(path: Path) -> None:
    """What a power cut leaves: the size is there, the second half of the data is not."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2].ljust(len(data), b"\0"))


@pytest.mark.parametrize("spoil", [torn, lambda path: path.write_bytes(path.read_bytes()[:-100])])
def test_what_a_power_cut_left_of_a_file_is_no_part_of_it(
    begin: Begin, stage: Stage, spoil: Callable[[Path], object]
) -> None:
    site = some(begin, stage, "a")
    site.sandbox.fail("/ssrweb/", with_=faults.cut(50_000, "reset"), times=1)
    site.sandbox.fail("/ssrweb/", with_=faults.cut(0, "reset"), times=None)
    assert site.sync().code == 1
    spoil(part(site))
    site.sandbox.heal()
    site.clock.advance(hours=1)

    result = site.sync()

    (cloud,) = site.world.meetings[site.uuid("a")].files
    assert (result.code, sha256(site.item("a") / "video.mp4")) == (0, served(cloud))
    assert [one.range for one in site.sandbox.seen("GET", "/ssrweb/")] == [None]


def test_what_came_before_a_pass_failed_is_gone_on_with(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    site.sandbox.fail("/ssrweb/", with_=faults.cut(50_000, "reset"), times=1)
    site.sandbox.fail("/ssrweb/", with_=faults.cut(0, "reset"), times=None)
    site.sync()
    part(site).write_bytes(part(site).read_bytes() + b"not durable when the power went")
    site.sandbox.heal()
    site.clock.advance(hours=1)

    result = site.sync()

    (cloud,) = site.world.meetings[site.uuid("a")].files
    assert (result.code, sha256(site.item("a") / "video.mp4")) == (0, served(cloud))
    assert [one.range for one in site.sandbox.seen("GET", "/ssrweb/")] == ["bytes=50000-"]


def test_a_whole_file_that_was_torn_in_staging_is_fetched_again(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    late = stage.video("a", 2, at=60)
    site.sandbox.fail(late.id, with_=faults.page(404), times=None)
    site.sync()
    (staged,) = (site.root / ".zoomsync").rglob("*.mp4")
    torn(staged)
    site.sandbox.heal()
    site.clock.advance(hours=1)

    assert site.sync().code == 0

    assert sorted(site.downloads()) == sorted([video(site, "a"), late.id])


@pytest.mark.parametrize("no", [error(401, 124, "Invalid access token."), sign_in()], ids=["401", "passcode"])
@pytest.mark.parametrize("after", [0, 1], ids=["at first", "when it failed before"])
def test_a_recording_whose_files_refuse_the_bearer_is_published_in_the_same_pass(
    begin: Begin, stage: Stage, no: Answer, after: int
) -> None:
    site = some(begin, stage, "a", "b", workers=1)
    stage.texts("a")
    for file in site.world.meetings[site.uuid("a")].files:
        unless_own_token(site, f"/rec/download/{file.id}", no)
    if after:
        site.sandbox.fail("/v2/meetings/", with_=faults.page(500), times=None)
        assert site.sync().code == 1
        site.sandbox.heal()
        for file in site.world.meetings[site.uuid("a")].files:
            unless_own_token(site, f"/rec/download/{file.id}", no)
        site.clock.advance(hours=1)

    result = site.sync()

    light = [call for call in site.calls() if call.startswith("GET /meetings/")]
    assert (result.code, len(light)) == (0, 1)
    assert {"video.mp4", "video.vtt"} < set(site.names("a"))
    assert site.calls().count("POST /oauth/token") == 1


def unless_own_token(site: Site, path: str, no: Answer) -> None:
    """A download takes the meeting's own token alone: the first token of a pass is the app's."""
    seen: list[str | None] = []

    def answer(request: Request, answered: Answer) -> Answer:
        seen.append(request.bearer)
        return no if request.bearer == seen[0] else answered

    site.sandbox.fail(path, with_=Fault(change=answer), times=None)


def test_a_download_address_that_expired_is_replaced_in_the_same_pass(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    (file,) = site.world.meetings[site.uuid("a")].files
    true, old = (f"{site.sandbox.url}/rec/download/{name}".encode() for name in (file.id, "expired"))

    def age(_: Request, answer: Answer) -> Answer:
        listed = answer.content.read(0, answer.content.size)
        return replace(answer, content=Text(listed.replace(true, old)))

    site.sandbox.fail("/(accounts|users)/.*/recordings", with_=Fault(change=age), times=None)

    result = site.sync()

    assert (result.code, site.names("a"), site.downloads()) == (0, ["video.mp4"], ["expired", file.id])


def test_captions_that_are_served_as_a_page_are_stored(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    text = stage.transcript("a")
    site.sandbox.fail(f"/ssrweb/{text.id}", with_=faults.headers(content_type="text/html"), times=None)

    assert (site.sync().code, site.names("a")) == (0, ["video.mp4", "video.vtt"])


@pytest.mark.parametrize("is_late", [False, True])
def test_a_host_that_only_a_text_comes_from_costs_that_text_alone(begin: Begin, stage: Stage, is_late: bool) -> None:
    stage.meeting("m", "alice", 2, "M")
    stage.video("m", seconds=1)
    site = begin(stage.world)
    codes = [site.sync().code] if is_late else []
    chat = stage.file("m", texts.chat(), "CHAT", "chat_file", "TXT", seconds=1)
    stage.transcript("m", seconds=1)
    chat.raw = {"download_url": "http://127.0.0.1:1/nobody"}

    codes.append(site.sync().code)
    names = site.names("m")
    site.clock.advance(hours=2)
    codes.append(site.sync().code)
    chat.raw = {}
    site.clock.advance(hours=9)
    codes.append(site.sync().code)

    assert (codes[-3:], names) == ([1, 1, 0], ["video.mp4", "video.vtt"])
    assert site.names("m") == ["chat.txt", "video.mp4", "video.vtt"]


def test_a_bomb_in_place_of_a_chat_costs_the_chat_alone(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    chat = stage.file("a", Text(b"00:00:01\t From Ada: hello"), "CHAT", "chat_file", "TXT")
    head, bomb = {"Content-Encoding": "gzip"}, Text(gzip.compress(bytes(10_000_000)))
    site.sandbox.fail(
        f"/ssrweb/{chat.id}", with_=Fault(instead=lambda _: Answer(headers=head, content=bomb)), times=None
    )

    result = site.sync()

    assert (result.code, result.counts["published"], site.names("a")) == (1, 1, ["video.mp4"])
    assert "it comes packed (gzip), which nobody asked for" in site.entry("a").pending[0]


def test_an_endless_text_costs_that_text_alone(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    chat = stage.file("a", Text(b"hello"), "CHAT", "chat_file", "TXT")
    site.sandbox.settings.downloads_have_length = False
    chat.listed_size, chat.content = 24, Filler(80_000_000)

    result = site.sync()

    assert (result.code, site.names("a")) == (1, ["video.mp4"])
    assert "more than 64.0 MB come, 24 bytes are listed" in site.entry("a").pending[0]


class Trickle(Filler):
    """Each piece comes just before the client gives up."""

    def __init__(self, site: Site, size: int) -> None:
        super().__init__(size)
        object.__setattr__(self, "_site", site)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        self._site.clock.advance(seconds=59)  # type: ignore[attr-defined]
        return super().read(start, stop)


def test_a_video_that_trickles_costs_its_meeting_alone(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", "slow", "c", workers=1)  # time flies for all of them
    (file,) = site.world.meetings[site.uuid("slow")].files
    file.content = Trickle(site, 400)
    site.sandbox.fail(f"/ssrweb/{file.id}", with_=faults.slow(39), times=None)  # a byte at a time

    result = site.sync()

    assert (result.code, result.counts["published"], result.counts["failed"]) == (1, 2, 1)
    assert "it came too slowly" in result.reasons("failed")[site.uuid("slow")]


def test_a_list_that_trickles_costs_that_user_alone(begin: Begin, stage: Stage) -> None:
    stage.world.add_user("Bob Example")
    stage.meeting("b", "bob", 3, "Of Bob")
    stage.video("b")
    site = some(begin, stage, "a", filter_accounts=["alice@example.org", "bob@example.org"])
    slow = Fault(instead=lambda _: Answer(content=Trickle(site, 400), speed=39))
    site.sandbox.fail("/users/(id_alice|alice@example.org)/recordings", with_=slow, times=None)

    result = site.sync()

    assert (result.code, site.names("b")) == (1, ["video.mp4"])
    assert "no whole answer within 300 s" in result.stderr


def test_a_hostile_error_page_ends_in_no_time(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", "bad")
    page = Answer(status=404, headers={"Content-Type": "text/html"}, content=Text(b"<title" * 500_000))
    site.sandbox.fail(video(site, "bad"), with_=Fault(instead=lambda _: page), times=None)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (1, 1)
    assert "HTTP 404, an HTML page" in result.reasons("failed")[site.uuid("bad")]


@pytest.mark.parametrize("command", ["auth-check", "users", "sync"])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("REQUESTS_CA_BUNDLE", "/nonexistent", "/nonexistent: no such file or directory"),
        ("CURL_CA_BUNDLE", "/nonexistent", "/nonexistent: no such file or directory"),
        ("REQUESTS_CA_BUNDLE", "{folder}", "holds no certificates that openssl rehash made ready"),
        ("REQUESTS_CA_BUNDLE", "{folder}/config.yaml", "holds no certificates in PEM form"),
        ("HTTPS_PROXY", "http://:s3cret@", "https_proxy: not the address of a proxy"),
    ],
)
def test_a_ca_bundle_or_proxy_that_cannot_be_used_is_code_5_and_named(
    begin: Begin, stage: Stage, monkeypatch: pytest.MonkeyPatch, command: str, name: str, value: str, said: str
) -> None:
    site = some(begin, stage, "a")
    host = "zoom.test" if "PROXY" in name else "127.0.0.1:9"  # a proxy is not asked for this machine's own addresses
    site.configure(zoom={"oauth_url": f"https://{host}/oauth/token", "api_url": f"https://{host}/v2"})
    monkeypatch.setenv(name, value.format(folder=site.folder))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    result = site.run(command)

    shown = result.stdout + result.stderr
    assert (result.code, "Traceback" in shown, "s3cret" in shown) == (5, False, False)
    assert said in shown.replace("\n", " ")
    assert "set REQUESTS_CA_BUNDLE" in shown or "set https_proxy" in shown
