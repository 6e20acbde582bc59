"""Captions: WebVTT as Zoom and others write it, also with SRT's commas; https://www.w3.org/TR/webvtt1/."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from zoomsync.errors import Unstitchable

TIME = r"(?:(\d+):)?([0-5]?\d):([0-5]?\d)[.,](\d{3})"
TIMES = re.compile(rf"[ \t]*{TIME}[ \t]*-->[ \t]*{TIME}(?:[ \t]+(.*))?")
HEADER = re.compile(r"WEBVTT(?![^ \t\n])")
STYLING = re.compile(r"(STYLE|REGION)[ \t]*(\n|$)")
NOT_CUES = re.compile(r"(STYLE|REGION|NOTE)([ \t]|\n|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One caption. Times are milliseconds."""

    start: int
    end: int
    lines: tuple[str, ...]
    """The text, with its speaker however it is marked: `Alice: hello`, `<v Alice>hello`."""
    settings: str = ""
    """Where it is shown: `align:start`."""
    id: str = ""

    def shifted(self, milliseconds: int) -> "Cue":
        """The same cue so much later."""
        return replace(self, start=self.start + milliseconds, end=self.end + milliseconds)


def parse_captions(text: str) -> tuple[Cue, ...]:
    """The cues of a WebVTT or SRT text, in its order; comments and styles are left out.

    Raises `Unstitchable` naming the first line that is neither.
    """
    cues: list[Cue] = []
    for number, block in _blocks(text):
        if not NOT_CUES.match(block):
            cues += _cues(number, block.split("\n"))
    return tuple(cues)


def join_captions(parts: Sequence[tuple[str, float]]) -> str:
    """One WebVTT text of several, each with the seconds by which its cues come later; they are numbered anew.

    Comments are dropped, styles kept once, before the first cue. Raises `Unstitchable` as `parse` does.
    """
    styles = [block for text, _ in parts for _, block in _blocks(text) if STYLING.match(block)]
    cues = [cue.shifted(round(offset * 1000)) for text, offset in parts for cue in parse_captions(text)]
    return render([replace(cue, id=str(number)) for number, cue in enumerate(cues, start=1)], styles)


def render(cues: Sequence[Cue], styles: Sequence[str] = ()) -> str:
    """The cues as a WebVTT text, from which `parse` reads the same cues."""
    return "\n\n".join(["WEBVTT", *dict.fromkeys(styles), *map(_rendered, cues)]) + "\n"


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """What stands between empty lines, each with the number of its first line; without the header."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    number, place = 1, 0
    for found in re.finditer(r"[^\n]+(?:\n[^\n]+)*", text):
        number, place = number + text.count("\n", place, found.start()), found.start()
        if place == 0 and HEADER.match(found[0]):
            yield from _after_header(found[0])
        elif found[0].strip():
            yield number, found[0]


def _after_header(block: str) -> Iterator[tuple[int, str]]:
    """Cues that follow without an empty line; other lines there (`Kind: captions`) say nothing that is needed."""
    lines = block.split("\n")
    start = next((place for place, line in enumerate(lines) if TIMES.fullmatch(line)), None)
    if start is not None:
        yield start + 1, "\n".join(lines[start:])


def _cues(number: int, lines: Sequence[str]) -> Iterator[Cue]:
    """The cues of one block: more than one where an empty line between them was forgotten."""
    starts = [(place, found) for place, line in enumerate(lines) if (found := TIMES.fullmatch(line))]
    if not starts or starts[0][0] > 1:
        raise Unstitchable(f"captions: line {number}: neither a cue nor a comment")
    name = lines[0] if starts[0][0] else ""
    ends = [place for place, _ in starts[1:]] + [len(lines)]
    for (start, found), end in zip(starts, ends, strict=True):
        yield _cue(name, found, lines[start + 1 : end])
        name = ""


def _cue(name: str, times: re.Match[str], lines: Sequence[str]) -> Cue:
    begin, end, settings = times.groups()[:4], times.groups()[4:8], times[9] or ""
    return Cue(start=_ms(*begin), end=_ms(*end), lines=tuple(lines), settings=settings.strip(), id=name)


def _ms(hours: str | None, minutes: str, seconds: str, thousandths: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


def _rendered(cue: Cue) -> str:
    times = f"{_time(cue.start)} --> {_time(cue.end)} {cue.settings}".rstrip()
    lines = [line.replace("-->", "--&gt;") for line in cue.lines]
    return "\n".join([*([cue.id] if cue.id else ()), times, *lines])


def _time(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{thousandths:03d}"
