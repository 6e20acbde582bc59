"""What the set-up data of a codec says: H.264 and AAC, as recorders write them.

Stricter than any decoder: what is odd here may be fine all the same, and ffprobe is asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from zoomsync.media.mp4 import expect

AVC_PROFILES = {66: "Baseline", 77: "Main", 100: "High"}
"""By their number in ITU-T H.264, A.2."""
CONSTRAINED = 0x40
"""constraint_set1_flag, which makes `Constrained Baseline` of `Baseline`."""
WHOLE_PICTURE, PARAMETER_SETS = 5, {7, 8}
"""Types of NAL units: ITU-T H.264, table 7-1."""
BESIDE_SOUND = (4, 6)
"""Elements of AAC with data and with nothing."""
LONGEST_HEAD = 40
"""Bytes of a slice in which all is that is read of it."""
AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""ISO/IEC 14496-3, table 1.18."""
NO_SBR = bytes((0x56, 0xE5, 0x00))
"""Behind the set-up data of AAC: the stream has no second half of its band hidden in it, ISO/IEC 14496-3, 1.6.5."""
SBR_RATE = 32000
"""From this rate on nobody hides one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """What all pictures have in common: a sequence parameter set."""

    profile: str
    width: int
    height: int
    number_bits: int
    """How long the number of a frame is."""
    order_bits: int
    """How long its place in the order of showing is; 0: frames are shown as they come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """How pictures are written: a picture parameter set."""

    number: int
    has_order: bool
    """Whether each says how far its second field is from its first."""
    quantizer: int
    has_filter: bool
    """Whether each says how its blocks are smoothed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Avc:
    """What a decoder of H.264 is set up for."""

    sequence: Sequence
    picture: Picture
    sets: tuple[bytes, ...]
    """Both as they are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aac:
    """What a decoder of AAC-LC is set up for."""

    sample_rate: int
    channels: int


class _Bits:
    """Numbers of any length in bits: ITU-T H.264, 7.2 and 9.1."""

    def __init__(self, data: bytes) -> None:
        self._bits = bin(int.from_bytes(b"\1" + data))[3:]
        self._place = 0

    def take(self, length: int) -> int:
        found = self._bits[self._place : self._place + length]
        expect(len(found) == length)
        self._place += length
        return int(found or "0", 2)

    def golomb(self, most: int) -> int:
        """A number of Exp-Golomb's code."""
        zeros = self._bits.find("1", self._place) - self._place
        expect(0 <= zeros < 32)
        self._place += zeros
        found = self.take(zeros + 1) - 1
        expect(found <= most)
        return found

    def signed(self, most: int) -> int:
        """One of Exp-Golomb's code with a sign."""
        found = self.golomb(2 * most)
        return (found + 1) // 2 if found % 2 else -(found // 2)


def read_avc(data: bytes) -> Avc:
    """What an `avcC` atom says: ISO/IEC 14496-15, 5.3.3.1. Raises `Odd`."""
    expect(len(data) > 8 and data[0] == 1 and data[4] == 0xFF and data[5] == 0xE1)  # sizes of 4 bytes, one set
    middle = 8 + int.from_bytes(data[6:8])
    expect(len(data) > middle + 3 and data[middle] == 1)
    end = middle + 3 + int.from_bytes(data[middle + 1 : middle + 3])
    sets = data[8:middle], data[middle + 3 : end]
    expect(len(data) >= end and data[1:4] == sets[0][1:4])
    return Avc(sequence=_sequence(sets[0]), picture=_picture(sets[1]), sets=sets)


def _unescaped(unit: bytes, kind: int) -> _Bits:
    """What is in a NAL unit of this kind: ITU-T H.264, 7.4.1.1."""
    expect(len(unit) > 1 and unit[0] & 0x9F == kind)
    return _Bits(unit[1:].replace(b"\0\0\3", b"\0\0"))


def _sequence(unit: bytes) -> Sequence:
    """ITU-T H.264, 7.3.2.1.1 and E.1.1."""
    bits = _unescaped(unit, 7)
    number, flags, _level = bits.take(8), bits.take(8), bits.take(8)
    expect(number in AVC_PROFILES)
    profile = "Constrained Baseline" if number == 66 and flags & CONSTRAINED else AVC_PROFILES[number]
    expect(bits.golomb(31) == 0)
    if number == 100:  # 4:2:0, 8 bits, no matrices
        expect(bits.golomb(3) == 1 and bits.golomb(6) == 0 and bits.golomb(6) == 0 and bits.take(2) == 0)
    number_bits = bits.golomb(12) + 4
    order = bits.golomb(2)  # of the pictures: 0 counts it, 1 foretells it, 2 is that of their coming
    expect(order != 1)
    order_bits = bits.golomb(12) + 4 if order == 0 else 0
    bits.golomb(16)
    bits.take(1)
    width, height = 16 * (bits.golomb(1023) + 1), 16 * (bits.golomb(1023) + 1)
    expect(bits.take(1))  # no fields
    bits.take(1)
    if bits.take(1):
        width -= 2 * (bits.golomb(width) + bits.golomb(width))
        height -= 2 * (bits.golomb(height) + bits.golomb(height))
    expect(width > 0 and height > 0)
    if bits.take(1):
        _appearance(bits)
    return Sequence(profile=profile, width=width, height=height, number_bits=number_bits, order_bits=order_bits)


def _appearance(bits: _Bits) -> None:
    """Square pixels, and no colours of the full range, for which ffmpeg has another name."""
    if bits.take(1):
        expect(bits.take(8) == 1)
    if bits.take(1):
        bits.take(1)
    if bits.take(1):
        expect(bits.take(4) & 1 == 0)


def _picture(unit: bytes) -> Picture:
    """ITU-T H.264, 7.3.2.2."""
    bits = _unescaped(unit, 8)
    number = bits.golomb(255)
    expect(bits.golomb(31) == 0)
    bits.take(1)
    has_order = bool(bits.take(1))
    expect(bits.golomb(7) == 0)
    bits.golomb(31)
    bits.golomb(31)
    expect(bits.take(1) <= 1 and bits.take(2) <= 2)
    quantizer = 26 + bits.signed(26)
    bits.signed(26)
    bits.signed(12)
    has_filter = bool(bits.take(1))
    bits.take(1)
    expect(not bits.take(1))  # no pictures that come again
    return Picture(number=number, has_order=has_order, quantizer=quantizer, has_filter=has_filter)


def expect_keyframe(avc: Avc, units: Iterator[bytes]) -> None:
    """Raise `Odd` unless a packet of these NAL units, of which the beginnings do, is a picture that needs no other.

    ffprobe knows the format of the pixels once it has read how a picture begins.
    """
    found = False
    for unit in units:
        kind = unit[0] & 0x1F
        expect(unit[0] & 0x80 == 0 and (kind not in PARAMETER_SETS or unit in avc.sets))
        if kind == WHOLE_PICTURE:
            _expect_slice(avc, unit)
            found = True
    expect(found)


def _expect_slice(avc: Avc, unit: bytes) -> None:
    """Raise `Odd` unless a slice of a whole picture begins as it must: ITU-T H.264, 7.3.3."""
    bits = _unescaped(unit[:LONGEST_HEAD], WHOLE_PICTURE)
    bits.golomb(1 << 20)
    expect(bits.golomb(9) in (2, 7) and bits.golomb(255) == avc.picture.number)
    expect(bits.take(avc.sequence.number_bits) == 0)
    bits.golomb(65535)
    if avc.sequence.order_bits:
        bits.take(avc.sequence.order_bits)
        if avc.picture.has_order:
            bits.signed(1 << 20)
    bits.take(2)
    expect(0 <= avc.picture.quantizer + bits.signed(51) <= 51)
    if avc.picture.has_filter and bits.golomb(2) != 1:
        bits.signed(6)
        bits.signed(6)


def read_aac(data: bytes) -> Aac:
    """What the set-up data of AAC-LC says: ISO/IEC 14496-3, 1.6.2.1. Raises `Odd`."""
    expect(len(data) == 2 or data[2:] == NO_SBR)
    bits = _Bits(data[:2])
    expect(bits.take(5) == 2)
    number, channels = bits.take(4), bits.take(4)
    expect(number < len(AAC_RATES) and channels in (1, 2) and bits.take(3) == 0)
    expect(data[2:] or AAC_RATES[number] >= SBR_RATE)
    return Aac(sample_rate=AAC_RATES[number], channels=channels)


def expect_elements(aac: Aac, packet: bytes) -> None:
    """Raise `Odd` unless a packet begins with its channels or what is beside them: ISO/IEC 14496-3, table 4.85.

    ffprobe believes one that redefines the channels.
    """
    expect(packet and packet[0] >> 5 in (aac.channels - 1, *BESIDE_SOUND))


def adts_header(sample_rate: int, channels: int, size: int) -> bytes:
    """What stands before a packet of AAC-LC of this size in a stream of its own: ISO/IEC 14496-3, 1.A.2.2."""
    length = size + 7
    expect(sample_rate in AAC_RATES and channels in (1, 2) and length < 1 << 13)
    fields = ((0xFFF1, 16), (1, 2), (AAC_RATES.index(sample_rate), 4), (0, 1), (channels, 3), (0, 4), (length, 13))
    head = 0
    for value, bits in (*fields, (0x7FF, 11), (0, 2)):
        head = head << bits | value
    return head.to_bytes(7)
