"""Captions: WebVTT as Zoom and others write it, also with SRT's commas; https://www.w3.org/TR/webvtt1/."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from zoomsync.errors import Unjoinable

TIME = r"(?:([0-9]{1,4}):)?([0-5]?[0-9]):([0-5]?[0-9])[.,]([0-9]{3})"
TIMES = re.compile(rf"[ \t]*{TIME}[ \t]*-->[ \t]*{TIME}(?:[ \t]+(.*))?")
ARROW = "-->"
HEADER = re.compile(r"WEBVTT(?![^ \t\n])")
STYLING = re.compile(r"(STYLE|REGION)[ \t]*")
COMMENT = re.compile(r"NOTE(?![^ \t])")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Captions:
    """What a text says."""

    cues: tuple[Cue, ...]
    """In the order of the text."""
    styles: tuple[str, ...] = ()
    lost: int = 0
    """How many lines are neither cue nor comment nor style."""
    first_lost: int = 0
    """The number of the first of them."""


def parse_captions(text: str) -> Captions:
    """What a WebVTT or SRT text says; blocks that are malformed cost themselves alone, as in any player.

    https://www.w3.org/TR/webvtt1/#collect-a-webvtt-block
    Raises `Unjoinable` if it is neither, naming the first line that tells.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").replace("\ufeff", "")
    cues: list[Cue] = []
    styles: list[str] = []
    lost: list[tuple[int, int]] = []
    for number, lines in _blocks(text):
        if cue := _cue(lines):
            cues.append(cue)
        elif STYLING.fullmatch(lines[0]) and not any(ARROW in line for line in lines):
            styles.append("\n".join(lines))
        elif not COMMENT.match(lines[0]):
            lost.append((number, len(lines)))
    if lost and not cues and not HEADER.match(text):
        raise Unjoinable(f"line {lost[0][0]} is no caption, and nothing else is: it is neither WebVTT nor SRT")
    count = sum(lines for _, lines in lost)
    return Captions(cues=tuple(cues), styles=tuple(styles), lost=count, first_lost=lost[0][0] if lost else 0)


def join_captions(parts: Sequence[tuple[Captions, float]]) -> str:
    """One WebVTT text of several, each with the seconds by which its cues come later; they are numbered again.

    Comments are dropped, styles kept once, before the first cue.
    """
    cues: list[Cue] = []
    for captions, offset in parts:
        later = round(offset * 1000)
        for cue in captions.cues:
            cues.append(replace(cue, start=cue.start + later, end=cue.end + later, id=str(len(cues) + 1)))
    return render(cues, [style for captions, _ in parts for style in captions.styles])


def render(cues: Sequence[Cue], styles: Sequence[str] = ()) -> str:
    """The cues as a WebVTT text, from which `parse_captions` reads the same cues."""
    blocks = ["WEBVTT", *dict.fromkeys(styles)]
    for cue in cues:
        times = f"{_time(cue.start)} {ARROW} {_time(cue.end)} {cue.settings}".rstrip()
        blocks.append("\n".join([*([cue.id] if cue.id else ()), times, *cue.lines]))
    return "\n\n".join(blocks) + "\n"


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """The blocks behind the header, each with the number of its first line.

    An empty line ends a block, and so does one with an arrow, unless it is the first such line and no line or one,
    the cue's name, stands before it. What else the header says (`Kind: captions`) is not needed.
    """
    block: list[str] = []
    is_header, has_arrow = HEADER.match(text) is not None, False
    for number, line in enumerate((*text.split("\n"), ""), 1):
        begins = ARROW in line and (has_arrow or is_header or len(block) > 1)
        if line and not begins:
            block.append(line)
            has_arrow = has_arrow or ARROW in line
            continue
        if not is_header and any(map(str.strip, block)):
            yield number - len(block), block
        is_header = False
        block, has_arrow = ([line], True) if line else ([], False)


def _cue(lines: Sequence[str]) -> Cue | None:
    """The cue that a block is; None: it is none, its times are malformed, or it ends before it begins."""
    place = 0 if ARROW in lines[0] else 1
    found = TIMES.fullmatch(lines[place]) if len(lines) > place else None
    if found is None:
        return None
    start, end = _milliseconds(*found.groups()[:4]), _milliseconds(*found.groups()[4:8])
    name, settings = lines[0] if place else "", (found[9] or "").strip()
    return (
        Cue(start=start, end=end, lines=tuple(lines[place + 1 :]), settings=settings, id=name) if start <= end else None
    )


def _milliseconds(hours: str | None, minutes: str, seconds: str, thousandths: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


def _time(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{thousandths:03d}"
