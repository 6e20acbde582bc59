"""What segments that differ are brought to."""

from fractions import Fraction
from pathlib import Path

import pytest

from tests.media.conftest import MIRRORED, ON_ITS_SIDE, UPSIDE_DOWN, Stitcher, Studio
from zoomsync.media.probe import ProbeResult, Stream
from zoomsync.media.transcode import frames_of, shape_of


def a_result(video: Stream, seconds: float = 10.0) -> ProbeResult:
    return ProbeResult(path=Path("a.mp4"), duration=seconds, streams=(video,))


def a_video(densest: str = "25/1", average: str = "25/1", **more: object) -> Stream:
    fields = {"index": 0, "codec_type": "video", "width": 160, "height": 90, "pix_fmt": "yuv420p", **more}
    return Stream.model_validate({**fields, "r_frame_rate": densest, "avg_frame_rate": average})


@pytest.mark.parametrize(
    ("densest", "average", "rate"),
    [
        ("25/1", "173/50", Fraction(25)),  # still for long, then moving
        ("30000/1001", "30000/1001", Fraction(30000, 1001)),
        ("120/1", "120/1", Fraction(60)),
        ("90000/1", "25/1", Fraction(30)),
        ("90000/1", "50/1", Fraction(50)),
        ("1000/1", "1000/1", Fraction(60)),
        ("0/0", "0/0", Fraction(30)),
        ("", "N/A", Fraction(30)),
        ("1/10", "1/10", Fraction(30)),
        ("5/1", "5/1", Fraction(20)),  # each frame four times: a segment must not end a fifth of a second off
        ("15/1", "15/1", Fraction(30)),
    ],
)
def test_the_rate_loses_no_frame_and_believes_no_nonsense(densest: str, average: str, rate: Fraction) -> None:
    assert shape_of([a_result(a_video(densest, average))]).frame_rate == rate


def test_the_fastest_segment_decides() -> None:
    assert shape_of([a_result(a_video("10/1")), a_result(a_video("50/1")), a_result(a_video("25/1"))]).frame_rate == 50


@pytest.mark.parametrize(
    ("more", "size"),
    [
        ({}, (160, 90)),
        ({"width": 161, "height": 91}, (162, 92)),
        ({"sample_aspect_ratio": "4:3"}, (214, 90)),
        ({"sample_aspect_ratio": "0:1"}, (160, 90)),
        ({"side_data_list": [{}, {"displaymatrix": "x", "rotation": -90}]}, (90, 160)),
        ({"side_data_list": [{"displaymatrix": "x", "rotation": 180}]}, (160, 90)),
    ],
)
def test_the_frame_is_as_large_as_a_player_shows_it(more: dict[str, object], size: tuple[int, int]) -> None:
    shape = shape_of([a_result(a_video(**more))])  # type: ignore[arg-type]  # by name

    assert (shape.width, shape.height) == size


def test_segments_get_whole_frames_and_none_drifts() -> None:
    frames = frames_of([a_result(a_video(), 1.01)] * 40, Fraction(25))

    begins = [sum(frames[:number]) / 25 for number in range(41)]
    assert begins == pytest.approx([1.01 * number for number in range(41)], abs=0.0201)
    assert set(frames) == {25, 26}


def test_a_segment_shorter_than_a_frame_gets_one() -> None:
    assert frames_of([a_result(a_video(), 0.001)] * 2, Fraction(25)) == [1, 1]


def test_a_burst_after_a_still_picture_loses_no_frame(join: Stitcher, studio: Studio, red: Path) -> None:
    """A screen share: a still, then 25 frames a second from 4 s to 6 s."""
    moving = "testsrc=s=160x96:r=25:d=6,select='eq(n,0)+gte(t,4)'"
    share = red.with_name("share.mp4")
    codecs = ["-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    studio.ffmpeg("-f", "lavfi", "-i", moving, *codecs, str(share))
    wide = studio.segment("wide still.mp4", size="192x96", maps="-map 0:v", seconds=1)

    join(wide, share)

    decoded = studio.ffmpeg("-ss", "5.01", "-i", str(join.target), "-vf", "format=gray", "-f", "rawvideo", "-")
    frames = [decoded[at : at + 192 * 96] for at in range(0, len(decoded), 192 * 96)]
    assert len(set(frames)) >= 49


def test_each_segment_is_turned_upright(join: Stitcher, studio: Studio, red: Path) -> None:
    """Its left half is white; it lies on its side, and a player turns it: then the upper or lower half is white."""
    half = red.with_name("half.mp4")
    source = "color=black:s=96x96:r=20:d=1,drawbox=w=48:c=white:t=fill"
    studio.ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(half))
    matrices = ((1, 0, 0, 1), ON_ITS_SIDE, UPSIDE_DOWN, MIRRORED)
    turned = [studio.turned(half, f"half{number}.mp4", matrix) for number, matrix in enumerate(matrices)]

    join(*turned)

    def shown(path: Path, at: float) -> list[bool]:
        """Whether the corners are white: upper left, upper right, lower left, lower right."""
        grab = ["-ss", str(at), "-i", str(path), "-frames:v", "1", "-vf", "scale=2:2:flags=area,format=gray"]
        return [pixel > 128 for pixel in studio.ffmpeg(*grab, "-f", "rawvideo", "-")]

    assert [shown(join.target, number + 0.5) for number in range(4)] == [shown(one, 0.5) for one in turned]
    assert "side_data_list" not in studio.look(join.target)["streams"][0]


def test_a_second_sound_is_encoded_too(join: Stitcher, studio: Studio, red: Path, green: Path) -> None:
    two = red.with_name("two sounds.mp4")
    studio.ffmpeg("-i", str(red), "-i", str(green), "-map", "0", "-map", "1:a", "-c", "copy", str(two))
    mute = studio.segment("mute wide.mp4", size="192x96", maps="-map 0:v")

    join(two, mute)

    sounds = [one["codec_type"] for one in studio.look(join.target)["streams"]]
    assert sounds == ["video", "audio", "audio"]
