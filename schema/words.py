"""The closed vocabularies: cloud, direction, disposition. Each source maps its own words to these."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Cloud(StrEnum):
    """A cloud instance. GCC is ``usgov``; Azure Government's service tags are ``usgov`` too."""

    PUBLIC = "public"
    USGOV = "usgov"
    USGOV_GCCHIGH = "usgov-gcchigh"
    USGOV_DOD = "usgov-dod"
    CHINA = "china"
    GERMANY = "germany"


EVERY_CLOUD = (Cloud.PUBLIC, Cloud.USGOV, Cloud.USGOV_GCCHIGH, Cloud.USGOV_DOD, Cloud.CHINA)
"""What "all endpoints" and "global endpoints" mean; Germany closed in 2021 (sources.md D2)."""

US_GOVERNMENT = (Cloud.USGOV, Cloud.USGOV_GCCHIGH, Cloud.USGOV_DOD)
"""What "U.S. Government" means when nothing narrows it."""


def ordered(clouds: Iterable[Cloud]) -> tuple[Cloud, ...]:
    """Return ``clouds`` in the order of `Cloud`, each once."""
    given = set(clouds)
    return tuple(cloud for cloud in Cloud if cloud in given)


class Direction(StrEnum):
    """Whose connection it is, as the customer's firewall sees it."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Kind(StrEnum):
    """What a record holds, for filters and exports."""

    PREFIX = "prefix"
    FQDN = "fqdn"
    SERVICE_TAG = "service-tag"


class Disposition(StrEnum):
    """What happened to one endpoint set between two versions."""

    ADD = "Add"
    CHANGE = "Change"
    REMOVE = "Remove"
