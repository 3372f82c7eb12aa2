"""Scenarios: the questions people come with, as named queries kept in one data file, ``scenarios.toml``.

Out: `Scenario` values, read and checked once a process: an unknown key, a cloud that neither a selection nor
a sentence speaks of, a name twice end the program. What a scenario answers at a version is `view`'s.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from schema.errors import BadParameterError
from schema.words import EVERY_CLOUD, Cloud, Direction, Kind

_CLOSED = "Microsoft closed the German cloud in 2021."


class Selection(Struct, frozen=True, forbid_unknown_fields=True):
    """Records that answer a scenario: those of one ``source``, or service ``tags``. Never both, never neither.

    Empty tuples keep everything; words are compared without case.
    """

    direction: Direction
    """Records that say another direction are left out; a tag says none and is meant in this one."""
    clouds: tuple[Cloud, ...]
    source: str | None = None
    services: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """One of them is in the record's purpose."""
    kinds: tuple[Kind, ...] = ()
    tags: tuple[str, ...] = ()


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence about some clouds."""

    clouds: tuple[Cloud, ...]
    sentence: str


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """One question, and where its answer stands."""

    name: str
    title: str
    question: str
    selection: tuple[Selection, ...]
    nothing: tuple[Said, ...] = ()
    """Where Microsoft publishes nothing."""
    note: tuple[Said, ...] = ()
    """What has to be known of an answer."""

    def selections(self, cloud: Cloud) -> tuple[Selection, ...]:
        """Return what answers it for ``cloud``; () where nothing is published."""
        return tuple(one for one in self.selection if cloud in one.clouds)

    def sentence(self, cloud: Cloud) -> str | None:
        """Return what is said instead for ``cloud``, None where something is published."""
        if cloud not in EVERY_CLOUD:
            return _CLOSED
        return next((one.sentence for one in self.nothing if cloud in one.clouds), None)

    def notes(self, cloud: Cloud) -> tuple[str, ...]:
        """Return what has to be known of the answer for ``cloud``, as sentences."""
        return tuple(one.sentence for one in self.note if cloud in one.clouds)


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    scenario: tuple[Scenario, ...]


@cache
def all_scenarios() -> tuple[Scenario, ...]:
    """Return every scenario, in the order people see them."""
    text = files(__package__).joinpath("scenarios.toml").read_bytes()
    return read_scenarios(text)


def read_scenarios(text: bytes) -> tuple[Scenario, ...]:
    """Return the scenarios of a data file.

    Raises:
        ValueError: it is not whole; every reason is listed.
    """
    try:
        scenarios = msgspec.toml.decode(text, type=_File).scenario
    except msgspec.MsgspecError as error:
        raise ValueError(f"{error}") from error
    names = [one.name for one in scenarios]
    reasons = [f"{name} is there twice" for name in sorted({name for name in names if names.count(name) > 1})]
    reasons += [reason for scenario in scenarios for reason in _doubts(scenario)]
    if reasons:
        raise ValueError("; ".join(reasons))
    return scenarios


def scenario_named(name: str) -> Scenario:
    """Return the scenario ``name``, in whatever case. Raises BadParameterError."""
    for scenario in all_scenarios():
        if scenario.name == name.strip().casefold():
            return scenario
    known = tuple(scenario.name for scenario in all_scenarios())
    message = f"no scenario is named {name!r}; there are {', '.join(known)}"
    raise BadParameterError(message, parameter="scenario", value=name, known=known)


def _doubts(scenario: Scenario) -> list[str]:
    doubts = [
        f"{scenario.name}: a selection has either a source or tags"
        for one in scenario.selection
        if bool(one.source) is bool(one.tags) or (one.tags and (one.services or one.categories or one.words))
    ]
    return doubts + [
        f"{scenario.name}: {cloud} has to have either selections or a sentence"
        for cloud in EVERY_CLOUD
        if bool(scenario.selections(cloud)) is bool(scenario.sentence(cloud))
    ]
