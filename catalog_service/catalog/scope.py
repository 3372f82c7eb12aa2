"""Where a question is asked for: its clouds, and in each the regions that count there.

In: the clouds and regions of a `Filter`, in any spelling. Out: one `Scope` a cloud. A geography covers its
Azure regions, an Azure region also has the rows of the geographies it belongs to. Called by `view`.
"""

from __future__ import annotations

from msgspec import Struct

from catalog_service.catalog.resolve import AZURE_CLOUDS, RegionCodes, azure_regions
from catalog_service.catalog.snapshot import Snapshot
from schema.endpoint_set import EndpointSet
from schema.errors import BadParameterError
from schema.regions import GEOGRAPHIES, Geography, covered_codes, known_region, region_code
from schema.words import EVERY_CLOUD, Cloud, ordered


class Scope(Struct, frozen=True):
    """One cloud, and the regions asked for in it."""

    cloud: Cloud
    codes: RegionCodes = frozenset()
    """Codes of the regional records that belong to the question; empty: all of them."""
    azure: RegionCodes = frozenset()
    """The Azure regions among them; empty: everywhere, as Microsoft documents none for one of them."""

    def holds(self, record: EndpointSet) -> bool:
        """Tell whether ``record`` belongs here: what is not regional belongs to every region."""
        regional = self.codes and record.region
        return self.cloud in record.all_clouds and (not regional or record.region in self.codes)


def scopes(snapshot: Snapshot, clouds: tuple[Cloud, ...], regions: tuple[str, ...]) -> tuple[Scope, ...]:
    """Return the scope of each of ``clouds`` (none: of every cloud that has one of ``regions``).

    Raises:
        BadParameterError: nothing knows a region, or a cloud asked for has none of them, or they none of the clouds.
    """
    if not regions:
        return tuple(Scope(cloud) for cloud in clouds or EVERY_CLOUD)
    homes = {region: clouds_of(snapshot, region) for region in regions}
    for region, found in homes.items():
        if clouds and found.isdisjoint(clouds):
            raise _misplaced(f"the region {region!r} is not in {' or '.join(clouds)}", region)
    for cloud in clouds:
        if not any(cloud in found for found in homes.values()):
            raise _misplaced(f"none of the regions {', '.join(regions)} is in {cloud}", regions[0])
    asked = clouds or ordered(cloud for found in homes.values() for cloud in found)
    return tuple(_scope(cloud, tuple(region for region in regions if cloud in homes[region])) for cloud in asked)


def clouds_of(snapshot: Snapshot, region: str) -> frozenset[Cloud]:
    """Return the clouds that ``region`` is in. Raises BadParameterError.

    A geography is in its own cloud, an Azure region in those of its geographies: USDoD Central is DoD's alone. One
    that no geography has serves every cloud that runs in its Azure cloud; a region that the crosswalk does not know
    is where its records are.
    """
    known, code = known_region(region), region_code(region)
    if isinstance(known, Geography):
        return frozenset(known.clouds)
    if known:
        azure = {AZURE_CLOUDS[cloud] for cloud in known.clouds}
        homes = {cloud for geography in _geographies(code) for cloud in geography.clouds}
        return frozenset(homes or (cloud for cloud in Cloud if AZURE_CLOUDS[cloud] in azure))
    found = {cloud for one in snapshot.endpoint_sets if one.region == code for cloud in one.all_clouds}
    if not found:
        hint = f"; {code} is a cloud: cloud={code} (--cloud {code})" if code in set(Cloud) else ""
        message = f"{region!r} is no region that this catalogue knows{hint}; `catalog-service regions` lists them"
        raise _misplaced(message, region)
    return frozenset(found)


def _scope(cloud: Cloud, regions: tuple[str, ...]) -> Scope:
    azure = [azure_regions(region) for region in regions]
    homes = {geography.code for region in regions for geography in _geographies(region_code(region))}
    codes = homes.union(*map(covered_codes, regions))
    return Scope(cloud, frozenset(codes), frozenset[str]().union(*azure) if all(azure) else frozenset())


def _geographies(code: str) -> tuple[Geography, ...]:
    """Return the geographies that the Azure region ``code`` belongs to; several share some."""
    return tuple(one for one in GEOGRAPHIES if code != one.code and code in covered_codes(one.code))


def _misplaced(message: str, region: str) -> BadParameterError:
    return BadParameterError(message, parameter="region", value=region)
