"""Lines drawn on logarithmic axes, as SVG that can be read on light and dark pages alike."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 410, 230
"""Of one panel."""
LEFT, RIGHT, TOP, BOTTOM = 64, 26, 34, 40
"""What lies around its axes."""
LOOKS = (("#2f81f7", ""), ("#d9822b", "6 4"), ("#57ab5a", "2 4"))
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #57606a }
.title { font-weight: 600 }
.grid { stroke: #8b949e; stroke-opacity: .35 }
@media (prefers-color-scheme: dark) { text { fill: #adbac7 } }
"""
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One measure: its lines by name, each of points (x, y). A point of 0 is left out."""

    title: str
    lines: Mapping[str, Points]
    shown: Callable[[float], str]
    """How a value stands at its axis."""


def drawn(x_title: str, x_shown: Callable[[float], str], panels: Sequence[Panel]) -> str:
    """The picture: the panels two by two, and below them which line is which."""
    height = HEIGHT * math.ceil(len(panels) / 2) + 30
    body = [part for number, panel in enumerate(panels) for part in _panel(number, panel, x_title, x_shown)]
    names = dict.fromkeys(name for panel in panels for name in panel.lines)
    for number, name in enumerate(names):
        x, y = LEFT + number * 230, height - 12
        body.append(_line([(x, y - 4), (x + 34, y - 4)], number))
        body.append(_text(x + 42, y, name, "start"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {height}" width="{2 * WIDTH}">'
    return "\n".join([head, f"<style>{STYLE}</style>", *body, "</svg>\n"])


def _panel(number: int, panel: Panel, x_title: str, x_shown: Callable[[float], str]) -> Iterator[str]:
    left, top = number % 2 * WIDTH + LEFT, number // 2 * HEIGHT + TOP
    right, bottom = left + WIDTH - LEFT - RIGHT, top + HEIGHT - TOP - BOTTOM
    lines = {name: [point for point in points if point[1] > 0] for name, points in panel.lines.items()}
    xs, ys = (_decades([point[place] for points in lines.values() for point in points]) for place in (0, 1))

    def at(x: float, y: float) -> tuple[float, float]:
        return left + _share(x, xs) * (right - left), bottom - _share(y, ys) * (bottom - top)

    yield _text(left, top - 12, panel.title, "start", "title")
    yield _text((left + right) / 2, bottom + 34, x_title)
    for x in xs:
        place = at(x, ys[0])[0]
        yield f'<path class="grid" d="M{place:.1f} {top}V{bottom}"/>'
        yield _text(place, bottom + 17, x_shown(x))
    for y in ys:
        place = at(xs[0], y)[1]
        yield f'<path class="grid" d="M{left} {place:.1f}H{right}"/>'
        yield _text(left - 7, place + 4, panel.shown(y), "end")
    for look, points in enumerate(lines.values()):
        places = [at(*point) for point in points]
        yield _line(places, look)
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{LOOKS[look][0]}"/>' for x, y in places)


def _decades(values: Sequence[float]) -> list[float]:
    """The powers of ten around all values; at least two."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def _share(value: float, decades: Sequence[float]) -> float:
    """Where a value lies on its axis, from 0 to 1."""
    return math.log10(value / decades[0]) / math.log10(decades[-1] / decades[0])


def _line(places: Points, look: int) -> str:
    colour, dashes = LOOKS[look]
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'


def _text(x: float, y: float, text: str, anchor: str = "middle", kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'
