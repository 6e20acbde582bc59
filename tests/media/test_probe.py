from fractions import Fraction
from pathlib import Path

import pytest

from tests.media.conftest import MachineClock, Studio
from zoomsync.errors import DownloadFailed, Unstitchable
from zoomsync.media import mp4
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.probe import Stream, decodes, probe


def test_tracks_and_lengths_are_read(tools: Tools, clock: MachineClock, red: Path) -> None:
    found = probe(tools, red, clock, count=True)

    assert found.duration == 2.0
    assert found.streams == (
        Stream(
            index=0,
            codec_type="video",
            codec="h264",
            codec_tag="avc1",
            profile="Constrained Baseline",
            width=160,
            height=96,
            pix_fmt="yuv420p",
            time_base="1/10240",
            extradata=found.streams[0].extradata,
            sample_aspect=Fraction(1),
            densest_rate=Fraction(20),
            average_rate=Fraction(20),
            duration=2.0,
            packets=40,
        ),
        Stream(
            index=1,
            codec_type="audio",
            codec="aac",
            codec_tag="mp4a",
            profile="LC",
            sample_rate=32000,
            channels=1,
            time_base="1/32000",
            extradata=found.streams[1].extradata,
            duration=2.0,
            packets=64,
        ),
    )
    assert all(one.extradata.startswith("SHA256:") for one in found.streams)


def test_packets_are_counted_on_demand_only(tools: Tools, clock: MachineClock, red: Path) -> None:
    assert [one.packets for one in probe(tools, red, clock).streams] == [None, None]


def test_a_cover_picture_is_no_video(tools: Tools, clock: MachineClock, studio: Studio) -> None:
    cover = studio.segment(
        "cover.m4a", video="-c:v mjpeg -frames:v 1 -disposition:v attached_pic", maps="-map 1:a -map 0:v"
    )

    found = probe(tools, cover, clock)

    assert ([one.kind for one in found.streams], found.first("video")) == (["audio", "data"], None)


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"WEBVTT\n\n", bytes(5000)])
def test_what_is_no_recording_is_named(tools: Tools, clock: MachineClock, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a\nb.mp4"
    path.write_bytes(content)

    with pytest.raises(Unstitchable, match=r"^a\\nb\.mp4: unreadable: .*\S$"):
        probe(tools, path, clock)


@pytest.mark.parametrize(
    ("stretches", "is_fine"),
    [([(0.0, 2.0)], True), ([(0.0, 1.0), (5.5, 6.0)], True), ([(2.5, 3.5)], False), ([(0.0, 1.0), (3.0, 3.5)], False)],
)
def test_what_does_not_decode_is_found_where_it_is_looked_for(
    tools: Tools,
    clock: MachineClock,
    studio: Studio,
    tmp_path: Path,
    stretches: list[tuple[float, float]],
    is_fine: bool,
) -> None:
    """Bytes are overwritten where the packets of the fourth second lie."""
    whole = studio.segment("decodes.mp4", seconds=6, more="-vf noise=alls=40:allf=t")
    content = bytearray(whole.read_bytes())
    for place, size, at in studio.packets(whole):
        if 3.0 <= at < 4.0:
            content[place + 5 : place + size] = bytes(size - 5)
    (damaged := tmp_path / "damaged.mp4").write_bytes(content)

    assert decodes(tools, whole, stretches, clock, seconds=10)
    assert decodes(tools, damaged, stretches, clock, seconds=10) is is_fine


def test_only_the_atoms_show_a_cut_behind_the_index(
    tools: Tools, clock: MachineClock, tmp_path: Path, red: Path
) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(red.read_bytes()[: red.stat().st_size // 2])

    assert probe(tools, cut, clock).duration == 2.0
    with pytest.raises(DownloadFailed, match="cut inside its mdat atom"):
        mp4.check(cut, cut.stat().st_size)


def test_a_playlist_in_disguise_is_not_followed(tools: Tools, clock: MachineClock, tmp_path: Path, red: Path) -> None:
    disguised = tmp_path / "a.mp4"
    disguised.write_text(f"ffconcat version 1.0\nfile 'file:{red}'\n")

    with pytest.raises(Unstitchable, match="unreadable"):
        probe(tools, disguised, clock)
