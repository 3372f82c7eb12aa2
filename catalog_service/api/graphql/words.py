"""The closed vocabularies as GraphQL's enums. Types and queries import them from here, described once."""

from __future__ import annotations

import strawberry

from catalog_service.catalog.biography import Deed, Subject
from catalog_service.catalog.conflict import ConflictKind
from catalog_service.catalog.lookup import Relation
from catalog_service.catalog.select import Resolve
from schema.access import Scope as TokenScope
from schema.event import EventType
from schema.fqdn import PatternType
from schema.subscription import Channel, DeliveryState, Envelope, Every, Payload, Signature, Status, Weekday
from schema.words import Cloud, Direction, Disposition, Family, Impact, Kind, Only, Significance

__all__ = [
    "Channel",
    "Cloud",
    "ConflictKind",
    "Deed",
    "DeliveryState",
    "Direction",
    "Disposition",
    "Envelope",
    "EventType",
    "Every",
    "Family",
    "Impact",
    "Kind",
    "Only",
    "PatternType",
    "Payload",
    "Relation",
    "Resolve",
    "Signature",
    "Significance",
    "Status",
    "Subject",
    "TokenScope",
    "Weekday",
]

strawberry.enum(Cloud, description="A cloud instance; USGOV is GCC and Azure Government.")
strawberry.enum(Direction, description="Whose connection it is, as the customer's firewall sees it.")
strawberry.enum(Disposition, description="What happened to one endpoint set between two versions.")
strawberry.enum(PatternType, description="Why a pattern is no host name.")
strawberry.enum(Kind, description="What an endpoint set holds.")
strawberry.enum(Resolve, description="What may be resolved in an answer.")
strawberry.enum(ConflictKind, description="What sources disagree on; PATTERN and MID_WILDCARD are flags.")
strawberry.enum(Impact, description="What a change asks of a customer, in Microsoft's nine words; for every source.")
strawberry.enum(Significance, description="How much of a change is more than noise; SPACE: prefixes cut another way.")
strawberry.enum(
    TokenScope, name="TokenScope", description="What a token lets its bearer do; each includes READ, ADMIN all."
)
strawberry.enum(Family, description="An address family.")
strawberry.enum(Only, description="Which side of a diff.")
strawberry.enum(Relation, description="How a member relates to what was asked: it is that, covers it, or lies inside.")
strawberry.enum(Subject, description="What a biography is of.")
strawberry.enum(Deed, description="What happened to a member of a record, or to a record.")
strawberry.enum(EventType, description="What happened; PING: a challenge or a test, of no filter.")
strawberry.enum(Channel, description="How a subscriber is told.")
strawberry.enum(Status, description="Whether anything is sent. UNVERIFIED: nothing but the challenge.")
strawberry.enum(Payload, description="How much a message says; FULL: the changes themselves, up to 20 kB.")
strawberry.enum(Envelope, description="What a webhook's body looks like.")
strawberry.enum(Signature, description="How a webhook is signed: v1 and v1a of Standard Webhooks.")
strawberry.enum(Every, description="How often a digest is sent.")
strawberry.enum(Weekday, description="The day of a weekly digest.")
strawberry.enum(DeliveryState, description="What became of a delivery; NOTHING: all of it was taken back meanwhile.")
