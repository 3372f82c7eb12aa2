"""The closed vocabularies as GraphQL's enums. Types and queries import them from here, described once."""

from __future__ import annotations

import strawberry

from catalog_service.catalog.conflict import ConflictKind
from catalog_service.catalog.select import Resolve
from schema.fqdn import PatternType
from schema.words import Cloud, Direction, Disposition, Kind

__all__ = ["Cloud", "ConflictKind", "Direction", "Disposition", "Kind", "PatternType", "Resolve"]

strawberry.enum(Cloud, description="A cloud instance; USGOV is GCC and Azure Government.")
strawberry.enum(Direction, description="Whose connection it is, as the customer's firewall sees it.")
strawberry.enum(Disposition, description="What happened to one endpoint set between two versions.")
strawberry.enum(PatternType, description="Why a pattern is no host name.")
strawberry.enum(Kind, description="What an endpoint set holds.")
strawberry.enum(Resolve, description="What may be resolved in an answer.")
strawberry.enum(ConflictKind, description="What sources disagree on; PATTERN and MID_WILDCARD are flags.")
