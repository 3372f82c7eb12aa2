"""A record's size over time as lines of steps, in the units of an SVG drawing.

In: the points of a series. Out: a `Chart` of plain numbers and paths, which a template draws without a script and
without a style attribute. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from catalog_service.catalog.biography import SeriesPoint

WIDTH, HEIGHT = 760, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 14, 30
_ROUND = (1, 2, 5)
_TICKS = 4


class Tick(Struct, frozen=True):
    """A mark on an axis."""

    place: float
    text: str


class Line(Struct, frozen=True):
    """One series."""

    name: str
    path: str
    x: float
    y: float
    """Where it ends."""
    count: int
    """What it ends with."""


class Chart(Struct, frozen=True):
    """Everything to be drawn."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]


def chart(series: tuple[SeriesPoint, ...], until: datetime) -> Chart:
    """Return the chart of ``series`` (not empty, oldest first) up to ``until``; without members no line."""
    start, end = series[0].at, max(until, series[-1].at, series[0].at + timedelta(days=1))
    most = max(max(point.prefixes, point.fqdns) for point in series)
    ticks = _ticks(most)
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM

    def x(at: datetime) -> float:
        return round(_LEFT + (right - _LEFT) * ((at - start) / (end - start)), 1)

    def y(count: int) -> float:
        return round(bottom - (bottom - _TOP) * count / ticks[-1], 1)

    counts: tuple[tuple[str, Callable[[SeriesPoint], int]], ...] = (
        ("prefixes", lambda point: point.prefixes),
        ("names", lambda point: point.fqdns),
    )
    lines = []
    for name, of in counts:
        if any(map(of, series)):
            steps = [(x(point.at), y(of(point))) for point in series]
            lines.append(Line(name, _path(steps, x(end)), x(end), steps[-1][1], of(series[-1])))
    return Chart(WIDTH, HEIGHT, _LEFT, right, bottom, tuple(lines), _days(start, end, x), tuple(_ups(ticks, y)))


def _path(steps: list[tuple[float, float]], end: float) -> str:
    first, *others = steps
    return " ".join((f"M{first[0]} {first[1]}", *(f"H{x} V{y}" for x, y in others), f"H{end}"))


def _ticks(most: int) -> tuple[int, ...]:
    """Return round counts from 0 to ``most`` or just beyond."""
    scale = 1
    while True:
        for step in _ROUND:
            if step * scale * _TICKS >= most:
                size = step * scale
                return tuple(range(0, max(most, 1) + size, size))
        scale *= 10


def _ups(ticks: tuple[int, ...], y: Callable[[int], float]) -> list[Tick]:
    return [Tick(y(count), f"{count:,}") for count in ticks]


def _days(start: datetime, end: datetime, x: Callable[[datetime], float]) -> tuple[Tick, ...]:
    moments = [start + (end - start) * part / _TICKS for part in range(_TICKS + 1)]
    return tuple(Tick(x(at), f"{at:%Y-%m-%d}") for at in moments)
