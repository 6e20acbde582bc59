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
    """One WebVTT text of several, each with the seconds by which its cues come later; they are numbered again.

    Comments are dropped, styles kept once, before the first cue. Raises `Unstitchable` as `parse_captions` does.
    """
    styles = [block for text, _ in parts for _, block in _blocks(text) if STYLING.match(block)]
    cues: list[Cue] = []
    for text, offset in parts:
        later = round(offset * 1000)
        for cue in parse_captions(text):
            cues.append(replace(cue, start=cue.start + later, end=cue.end + later, id=str(len(cues) + 1)))
    return render(cues, styles)


def render(cues: Sequence[Cue], styles: Sequence[str] = ()) -> str:
    """The cues as a WebVTT text, from which `parse_captions` reads the same cues."""
    blocks = ["WEBVTT", *dict.fromkeys(styles)]
    for cue in cues:
        times = f"{_time(cue.start)} --> {_time(cue.end)} {cue.settings}".rstrip()
        lines = [line.replace("-->", "--&gt;") for line in cue.lines]
        blocks.append("\n".join([*([cue.id] if cue.id else ()), times, *lines]))
    return "\n\n".join(blocks) + "\n"


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """What stands between empty lines, each with the number of its first line; without the header."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    number, place = 1, 0
    for found in re.finditer(r"[^\n]+(?:\n[^\n]+)*", text):
        number, place = number + text.count("\n", place, found.start()), found.start()
        if place == 0 and HEADER.match(found[0]):
            # Cues may follow without an empty line; other lines there (`Kind: captions`) say nothing that is needed.
            lines = found[0].split("\n")
            for skipped, line in enumerate(lines):
                if TIMES.fullmatch(line):
                    yield 1 + skipped, "\n".join(lines[skipped:])
                    break
        elif found[0].strip():
            yield number, found[0]


def _cues(number: int, lines: Sequence[str]) -> Iterator[Cue]:
    """The cues of one block: more than one if an empty line between them was forgotten."""
    starts = [(place, found) for place, line in enumerate(lines) if (found := TIMES.fullmatch(line))]
    if not starts or starts[0][0] > 1:
        raise Unstitchable(f"captions: line {number}: neither a cue nor a comment")
    name = lines[0] if starts[0][0] else ""
    ends = [place for place, _ in starts[1:]] + [len(lines)]
    for (place, found), end in zip(starts, ends, strict=True):
        yield Cue(
            start=_milliseconds(*found.groups()[:4]),
            end=_milliseconds(*found.groups()[4:8]),
            lines=tuple(lines[place + 1 : end]),
            settings=(found[9] or "").strip(),
            id=name,
        )
        name = ""


def _milliseconds(hours: str | None, minutes: str, seconds: str, thousandths: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


def _time(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{thousandths:03d}"
