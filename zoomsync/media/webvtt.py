"""Captions: WebVTT as Zoom and others write it, also with SRT's commas; https://www.w3.org/TR/webvtt1/."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zoomsync.errors import Unjoinable

TIME = r"(?:([0-9]{1,4}):)?([0-5]?[0-9]):([0-5]?[0-9])[.,]([0-9]{3})"
TIMES = re.compile(rf"[ \t]*{TIME}[ \t]*-->[ \t]*{TIME}(?:[ \t]+(.*))?")
ARROW = "-->"
HEADER = re.compile(r"WEBVTT(?![^ \t\n])")
LANGUAGE = re.compile(r"\ufeff?WEBVTT[^\r\n]*(?:\r\n?|\n)(?:[^\r\n]+(?:\r\n?|\n))*?Language:[ \t]*([A-Za-z0-9-]+)")
GAP = re.compile(r"\A\n+|\n{2,}|\n?\Z")
STYLING = re.compile(r"(STYLE|REGION)[ \t]*(\n|\Z)")
COMMENT = re.compile(r"NOTE(?![^ \t\n])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One caption. Times are milliseconds."""

    start: int
    end: int
    text: str
    """With its speaker however it is marked: `Alice: hello`, `<v Alice>hello`."""
    settings: str = ""
    """Where it is shown: `align:start`."""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A block that says how cues look."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Lines that are neither cue nor comment nor style."""

    lines: int = 0
    first: int = 0
    """The number of the first of them."""


def parse_captions(text: str) -> Iterator[Cue | Style | Lost]:
    """What a WebVTT or SRT text says; blocks that are malformed cost themselves alone, as in any player.

    https://www.w3.org/TR/webvtt1/#collect-a-webvtt-block
    Raises `Unjoinable` at its end if it is neither, naming the first line that tells.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").replace("\ufeff", "")
    is_captions, lost = HEADER.match(text) is not None, 0
    for number, block in _blocks(text):
        if cue := _cue(block):
            is_captions = True
            yield cue
        elif STYLING.match(block) and ARROW not in block:
            yield Style(text=block)
        elif block.strip() and not COMMENT.match(block):
            lost = lost or number
            yield Lost(lines=block.count("\n") + 1, first=number)
    if lost and not is_captions:
        raise Unjoinable(f"line {lost} is no caption, and nothing else is: it is neither WebVTT nor SRT")


def join_captions(parts: Sequence[tuple[str, float]]) -> tuple[str, tuple[Lost, ...]]:
    """One WebVTT text of several, each with the seconds by which its cues come later; and what of each is left out.

    Cues are numbered again, comments dropped; styles are kept once, before the first cue, and the language. Raises
    `Unjoinable` if there are two languages, and as `parse_captions` does.
    """
    languages = sorted({found[1] for text, _ in parts if (found := LANGUAGE.match(text[:4096]))})
    if len(languages) > 1:
        raise Unjoinable(f"they are in several languages: {', '.join(languages)}")
    styles: dict[str, None] = {}
    cues: list[str] = []
    lost = [Lost() for _ in parts]
    for part, (text, offset) in enumerate(parts):
        for one in parse_captions(text):
            match one:
                case Cue():
                    cues.append(render(one, later=round(offset * 1000), name=str(len(cues) + 1)))
                case Style():
                    styles[one.text] = None
                case Lost():
                    before = lost[part]
                    lost[part] = Lost(lines=before.lines + one.lines, first=before.first or one.first)
    head = "\n".join(["WEBVTT", *(f"Language: {one}" for one in languages)])
    return "\n\n".join([head, *styles, *cues]) + "\n", tuple(lost)


def render(cue: Cue, *, later: int, name: str) -> str:
    """A cue as a block of WebVTT, from which `parse_captions` reads it, so many milliseconds later."""
    times = f"{_time(cue.start + later)} {ARROW} {_time(cue.end + later)} {cue.settings}".rstrip()
    return f"{name}\n{times}\n{cue.text}".rstrip("\n")


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """The blocks behind the header, each with the number of its first line.

    An empty line ends a block, and so does one with an arrow, unless it is the first such line and no line or one,
    the cue's name, stands before it. What else the header says (`Kind: captions`) is not needed.
    """
    number, begin, header = 1, 0, HEADER.match(text)
    for gap in GAP.finditer(text):
        block = text[begin : gap.start()]
        if header:
            arrow = block.find(ARROW)
            skipped = block.rfind("\n", 0, arrow) + 1 if arrow >= 0 else len(block)
            yield from _pieces(number + block.count("\n", 0, skipped), block[skipped:])
        else:
            yield from _pieces(number, block)
        number, begin, header = number + text.count("\n", begin, gap.end()), gap.end(), None


def _pieces(number: int, block: str) -> Iterator[tuple[int, str]]:
    """What lies between empty lines, cut before lines with an arrow."""
    begin = place = 0
    while (arrow := block.find(ARROW, place)) >= 0:
        line = block.rfind("\n", 0, arrow) + 1
        if place > begin or block.count("\n", begin, line) > 1:
            yield number, block[begin : line - 1]
            number, begin = number + block.count("\n", begin, line), line
        place = end if (end := block.find("\n", arrow)) >= 0 else len(block)
    if block:
        yield number, block[begin:]


def _cue(block: str) -> Cue | None:
    """The cue that a block is; None: it is none, its times are malformed, or it ends before it begins."""
    name, (times, _, text) = "", block.partition("\n")
    if ARROW not in times:
        name, (times, _, text) = times, text.partition("\n")
    if (found := TIMES.fullmatch(times)) is None:
        return None
    start, end = _milliseconds(*found.groups()[:4]), _milliseconds(*found.groups()[4:8])
    return Cue(start=start, end=end, text=text, settings=(found[9] or "").strip(), name=name) if start <= end else None


def _milliseconds(hours: str | None, minutes: str, seconds: str, thousandths: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


def _time(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{thousandths:03d}"
