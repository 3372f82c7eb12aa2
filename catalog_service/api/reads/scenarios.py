"""The questions that ``scenario=`` takes."""

from __future__ import annotations

from catalog_service.catalog.scenarios import all_scenarios, scenario_named
from catalog_service.views.scenarios import ScenarioView, scenario_view


def scenario_views() -> tuple[ScenarioView, ...]:
    """Return every scenario."""
    return tuple(map(scenario_view, all_scenarios()))


def check_scenarios(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scenarios called ``names`` in their own spelling. Raises BadParameterError."""
    return tuple(sorted({scenario_named(name).name for name in names}))
