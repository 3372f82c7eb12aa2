"""What the records of versions say: the start of every other check of versions."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from catalog_service.store import keys
from catalog_service.store.checks.finding import Seen, as_seen
from catalog_service.store.checks.given import last_given, number_of, read_version
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from catalog_service.store.moment import parts
from schema.version import Version

_AT_ONCE = 500


class Facts(Struct, frozen=True):
    """Every version that can be read, and the numbers of those that cannot."""

    head: bytes
    """As stored; empty: it is not there."""
    last: bytes
    versions: dict[int, Version]
    """By number, ascending."""
    damaged: tuple[int, ...]
    """Numbers up to the highest that was given whose record is missing or unreadable."""
    strays: tuple[bytes, ...]
    """Fields among the records that are no number that was given."""

    @property
    def seen(self) -> tuple[Seen, ...]:
        """That no version came since: what an index is repaired under."""
        return Seen(("GET", keys.HEAD), self.head), Seen(("GET", keys.LAST), self.last)

    @property
    def known(self) -> frozenset[int]:
        """Every number that was given."""
        return frozenset((*self.versions, *self.damaged))

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of all versions, sorted."""
        return tuple(sorted({version.source for version in self.versions.values()}))

    def of(self, source: str, *, imported: bool) -> tuple[Version, ...]:
        """Return ``source``'s versions of one kind, ascending."""
        every = self.versions.values()
        return tuple(one for one in every if one.source == source and one.imported is imported)


async def facts(store: Store) -> Facts:
    """Return what the records of versions say."""
    ask: Ask = store.redis.execute_command
    head, last = await ask("MGET", keys.HEAD, keys.LAST)
    given = range(1, await last_given(store, (head, last)) + 1)
    named = await ask("HKEYS", keys.VERSIONS)
    strays = sorted(name for name in named if number_of(name) not in given or str(number_of(name)).encode() != name)
    versions, damaged = dict[int, Version](), list[int]()
    for part in parts(given, _AT_ONCE):
        for number, data in zip(part, await ask("HMGET", keys.VERSIONS, *part), strict=True):
            version = read_version(number, data)
            if version:
                versions[number] = version
            else:
                damaged.append(number)
    return Facts(as_seen(head), as_seen(last), versions, tuple(damaged), tuple(strays))


def newest(versions: Iterable[Version]) -> int:
    """Return the highest number among ``versions``, 0 where there is none."""
    return max((version.version for version in versions), default=0)
