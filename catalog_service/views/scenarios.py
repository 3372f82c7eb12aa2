"""Scenarios as they are published: the questions, and where Microsoft publishes nothing."""

from __future__ import annotations

from msgspec import Struct

from catalog_service.catalog.scenarios import Scenario
from schema.words import Cloud


class NothingPublished(Struct, frozen=True):
    """A cloud for which Microsoft publishes nothing, and that as a sentence."""

    cloud: Cloud
    sentence: str


class ScenarioView(Struct, frozen=True):
    """A scenario: a question by name, for ``scenario=``."""

    name: str
    title: str
    question: str
    clouds: tuple[Cloud, ...]
    """Those it has an answer for."""
    nothing: tuple[NothingPublished, ...]


def scenario_view(scenario: Scenario) -> ScenarioView:
    """Return ``scenario`` as published."""
    said = ((cloud, scenario.sentence(cloud)) for cloud in Cloud)
    return ScenarioView(
        name=scenario.name,
        title=scenario.title,
        question=scenario.question,
        clouds=tuple(cloud for cloud in Cloud if scenario.selections(cloud)),
        nothing=tuple(NothingPublished(cloud, sentence) for cloud, sentence in said if sentence),
    )
