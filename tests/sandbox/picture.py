"""The visible clock: a frame says for people (digits) and for programs (a strip of 16 black and white fields)
which segment, view and second it belongs to. It survives scaling, padding and any codec.
"""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import NamedTuple

GROUND, BLACK, WHITE = 110, 16, 235
STRIP = (0.70, 0.82, 0.94)
"""Top, middle and bottom of the two rows of eight fields, in parts of the height."""
SIDES = (0.08, 0.92)
BRIGHT = bytes(shade > 60 for shade in range(256))
"""Of each shade, whether it is none of a black bar's."""
_SHAPES = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
_LINES = {"a": (0, 0, 1, 0.14), "b": (0.82, 0, 1, 0.5), "c": (0.82, 0.5, 1, 1), "d": (0, 0.86, 1, 1),
          "e": (0, 0.5, 0.18, 1), "f": (0, 0, 0.18, 0.5), "g": (0, 0.43, 1, 0.57)}  # fmt: skip


class Tick(NamedTuple):
    """What a frame says."""

    segment: int
    view: int
    second: int


class Canvas:
    """A gray picture of any size; places are parts of width and height."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.rows = [bytearray([GROUND]) * width for _ in range(height)]

    def fill(self, left: float, top: float, right: float, bottom: float, shade: int) -> None:
        """A filled rectangle."""
        first, last = round(left * self.width), round(right * self.width)
        for row in self.rows[round(top * self.height) : round(bottom * self.height)]:
            row[first:last] = bytes([shade]) * (last - first)


def frames(segment: int, view: int, seconds: int, fps: int, width: int, height: int) -> Iterator[bytes]:
    """Raw yuv420p frames of a clip, tinted by segment."""
    tint = bytes([(90, 150, 110, 170)[segment % 4]]) * ((width // 2) * (height // 2))
    tints = tint + bytes([128 + 8 * (view % 4)]) * len(tint)
    for second in range(seconds):
        canvas = draw(Tick(segment, view, second), width, height)
        for number in range(fps):
            canvas.fill(SIDES[0], 0.63, SIDES[0] + (SIDES[1] - SIDES[0]) * (number + 1) / fps, 0.67, WHITE)
            yield b"".join(canvas.rows) + tints


def draw(tick: Tick, width: int, height: int) -> Canvas:
    """The picture of one second."""
    canvas = Canvas(width, height)
    for place, digit in enumerate((tick.segment % 10, tick.second // 10 % 10, tick.second % 10)):
        _draw_digit(canvas, 0.12 + 0.3 * place, digit)
    word = tick.segment << 12 | tick.view << 8 | tick.second
    for place in range(16):
        left = SIDES[0] + (SIDES[1] - SIDES[0]) * (place % 8) / 8
        top, bottom = STRIP[place // 8], STRIP[place // 8 + 1]
        canvas.fill(left, top, left + (SIDES[1] - SIDES[0]) / 8, bottom, WHITE if word >> (15 - place) & 1 else BLACK)
    return canvas


def _draw_digit(canvas: Canvas, left: float, digit: int) -> None:
    for line in _SHAPES[digit]:
        x, y, right, bottom = _LINES[line]
        canvas.fill(left + 0.16 * x, 0.1 + 0.45 * y, left + 0.16 * right, 0.1 + 0.45 * bottom, WHITE)


def read(frame: bytes, width: int) -> Tick | None:
    """What a gray frame says, wherever black bars moved the picture; None: it shows no clock."""
    rows = [frame[at : at + width] for at in range(0, len(frame), width)]
    bright = [row.translate(BRIGHT) for row in rows]
    lit = [number for number, row in enumerate(bright) if any(row)]
    merged = reduce(or_, (int.from_bytes(row) for row in bright), 0).to_bytes(width)
    columns = [number for number, is_lit in enumerate(merged) if is_lit]
    if not lit or not columns:
        return None
    top, height = lit[0], lit[-1] - lit[0] + 1
    left, wide = columns[0], columns[-1] - columns[0] + 1
    word = 0
    for place in range(16):
        y = top + height * (STRIP[place // 8] + STRIP[place // 8 + 1]) / 2
        x = left + wide * (SIDES[0] + (SIDES[1] - SIDES[0]) * (place % 8 + 0.5) / 8)
        word = word << 1 | (rows[int(y)][int(x)] > (WHITE + BLACK) // 2)
    return Tick(word >> 12, word >> 8 & 15, word & 255)
