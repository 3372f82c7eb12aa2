"""The closed vocabularies: cloud, direction, disposition, impact. Each source maps its own words to these."""

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


class Impact(StrEnum):
    """What a change asks of a customer, in Microsoft's nine words; computed for every source by `catalog.impact`."""

    # What asks more comes first: `at_least` counts on it.
    ADDED_IP = "AddedIp"
    ADDED_URL = "AddedUrl"
    ADDED_IP_AND_URL = "AddedIpAndUrl"
    ADDED_SUBSTITUTE_URL = "AddedSubstituteUrl"
    REMOVED_IP_OR_URL = "RemovedIpOrUrl"
    CHANGED_IS_EXPRESS_ROUTE = "ChangedIsExpressRoute"
    MOVED_IP_OR_URL = "MovedIpOrUrl"
    REMOVED_DUPLICATE_IP_OR_URL = "RemovedDuplicateIpOrUrl"
    OTHER_NON_PRIORITY_CHANGES = "OtherNonPriorityChanges"


def at_least(impact: Impact) -> tuple[Impact, ...]:
    """Return the words that ask as much of a customer as ``impact``, or more; in the order of `Impact`.

    The order is ours, by how soon something has to be done; a row's list holds those of the rows above it.

    | word                                                 | what it asks                            |
    |------------------------------------------------------|-----------------------------------------|
    | AddedIp, AddedUrl, AddedIpAndUrl, AddedSubstituteUrl | open it, or what needs it fails: equals |
    | RemovedIpOrUrl                                       | close it, without haste                 |
    | ChangedIsExpressRoute                                | see whether routes have to change       |
    | MovedIpOrUrl                                         | see whether rules name where it was     |
    | RemovedDuplicateIpOrUrl                              | nothing: something else covers it       |
    | OtherNonPriorityChanges                              | nothing                                 |
    """
    words = tuple(Impact)
    return words[: max(words.index(impact), words.index(Impact.ADDED_SUBSTITUTE_URL)) + 1]


class Significance(StrEnum):
    """How much of a change is more than noise: `catalog.impact` says which fields are what."""

    MATERIAL = "material"
    SPACE = "space"
    """Prefixes were cut another way and cover the same addresses."""
    WORDING = "wording"
    COUNTER = "counter"


class Family(StrEnum):
    """Which prefixes are asked for; names belong to no family."""

    IPV4 = "4"
    IPV6 = "6"
    BOTH = "both"

    @property
    def numbers(self) -> tuple[int, ...]:
        """The families as numbers."""
        return (4, 6) if self is Family.BOTH else (int(self.value),)


class Only(StrEnum):
    """Which side of a diff is asked for, when not both."""

    ADDED = "added"
    REMOVED = "removed"
