"""The chart of a record's members: what is drawn is what was counted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalog_service.api.pages.chart import HEIGHT, WIDTH, Chart, chart
from catalog_service.catalog.biography import SeriesPoint

START = datetime(2024, 1, 1, tzinfo=UTC)
COUNTS = st.tuples(st.integers(0, 1_000_000), st.integers(0, 500))
SERIES = st.lists(COUNTS, min_size=1, max_size=30)


def series(counts: list[tuple[int, int]]) -> tuple[SeriesPoint, ...]:
    """Return points a week apart."""
    return tuple(SeriesPoint(START + timedelta(weeks=n), *each) for n, each in enumerate(counts))


def heights(drawn: Chart, path: str) -> list[float]:
    """Return the counts that a path's steps stand for."""
    top = float(drawn.up[-1].text.replace(",", ""))
    scale = (drawn.bottom - drawn.up[-1].place) / top
    return [(drawn.bottom - float(y)) / scale for y in re.findall(r"(?:M\S+|V) ?(\d+(?:\.\d+)?)", path)]


@given(SERIES)
def test_every_step_stands_for_its_count(counts: list[tuple[int, int]]) -> None:
    """Within the rounding of a tenth of a unit; a series without members has no line."""
    drawn = chart(series(counts), START)
    lines = {line.name: line for line in drawn.lines}
    for place, name in enumerate(("prefixes", "names")):
        own = [each[place] for each in counts]
        assert (name in lines) == any(own)
        if name in lines:
            tolerance = float(drawn.up[-1].text.replace(",", "")) / 1000
            assert all(abs(a - b) <= tolerance for a, b in zip(heights(drawn, lines[name].path), own, strict=True))
            assert lines[name].count == own[-1]


@given(SERIES, st.integers(0, 5000))
def test_everything_is_inside_the_drawing(counts: list[tuple[int, int]], days: int) -> None:
    """Ticks rise from zero to the highest count or beyond, in a few round steps; nothing is drawn outside."""
    drawn = chart(series(counts), START + timedelta(days=days))
    ticks = [int(tick.text.replace(",", "")) for tick in drawn.up]
    assert ticks[0] == 0
    assert ticks == sorted(set(ticks))
    assert ticks[-1] >= max(map(max, counts))
    assert 2 <= len(ticks) <= 6
    assert all(0 <= tick.place <= HEIGHT for tick in drawn.up)
    assert all(drawn.left <= tick.place <= drawn.right <= WIDTH for tick in drawn.across)
    numbers = [float(one) for line in drawn.lines for one in re.findall(r"\d+(?:\.\d+)?", line.path)]
    assert all(0 <= one <= WIDTH for one in numbers)
