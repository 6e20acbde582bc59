"""Set-up data is read as the standards have it, or is odd; nothing else comes of it."""

import random

import pytest

from zoomsync.media.codecs import (
    Aac,
    Picture,
    Sequence,
    adts_header,
    expect_elements,
    expect_keyframe,
    read_aac,
    read_avc,
)
from zoomsync.media.mp4 import Odd

BASELINE = bytes.fromhex("0142c00affe100176742c00ada0a36c044000003000400000300a03c489a8001000468ce0fc8")
"""As x264 writes it for 160 × 96."""
SLICE = bytes.fromhex("6588843a11")
"""How its first picture begins."""


def test_set_up_data_of_h264_is_read() -> None:
    found = read_avc(BASELINE)

    assert found.sequence == Sequence(profile="Constrained Baseline", width=160, height=96, number_bits=4, order_bits=0)
    assert found.picture == Picture(number=0, has_order=False, quantizer=23, has_filter=True)
    expect_keyframe(found, iter([*found.sets, b"\x06\x05", SLICE]))


@pytest.mark.parametrize(
    "units",
    [
        pytest.param([], id="nothing"),
        pytest.param([b"\x41\x9a"], id="a picture that needs others"),
        pytest.param([b"\xe5\x88\x84\x3a"], id="a forbidden bit"),
        pytest.param([b"\x65\xff"], id="a slice of another kind"),
        pytest.param([b"\x67\x42\xc0\x0b", SLICE], id="another set on the way"),
    ],
)
def test_what_is_no_whole_picture_is_odd(units: list[bytes]) -> None:
    with pytest.raises(Odd):
        expect_keyframe(read_avc(BASELINE), iter(units))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("1290", Aac(sample_rate=32000, channels=2)),
        ("1188", Aac(sample_rate=48000, channels=1)),
        ("140856e500", Aac(sample_rate=16000, channels=1)),
    ],
)
def test_set_up_data_of_aac_is_read(data: str, found: Aac) -> None:
    assert read_aac(bytes.fromhex(data)) == found


@pytest.mark.parametrize("data", ["", "11", "1408", "2b8a0800", "1188ff", "1180", "1190aa"])
def test_other_set_up_data_of_sound_is_odd(data: str) -> None:
    """Such that may hide the half of its band, say."""
    with pytest.raises(Odd):
        read_aac(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("packet", "is_fine"), [("01", True), ("de04", True), ("21", False), ("a0", False), ("", False)]
)
def test_a_packet_of_sound_has_the_channels_that_were_set_up(packet: str, *, is_fine: bool) -> None:
    aac, content = Aac(sample_rate=48000, channels=1), bytes.fromhex(packet)

    if is_fine:
        expect_elements(aac, content)
    else:
        with pytest.raises(Odd):
            expect_elements(aac, content)


def test_whatever_the_set_up_data_is_it_is_read_or_odd() -> None:
    chance, odd = random.Random(1), 0
    changed = [BASELINE[:size] for size in range(len(BASELINE))]
    for _ in range(500):
        one = bytearray(BASELINE)
        one[chance.randrange(len(one))] = chance.randrange(256)
        changed.append(bytes(one))
    for data in changed:
        try:
            read_avc(data)
        except Odd:
            odd += 1

    assert len(BASELINE) <= odd < len(changed)


def test_a_packet_of_sound_stands_behind_its_size() -> None:
    assert adts_header(48000, 1, 249).hex() == "fff14c40201ffc"
    with pytest.raises(Odd):
        adts_header(48000, 1, 9000)
