"""What the records of versions say: the start of every other check of versions."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from catalog_service.store import codec, keys
from catalog_service.store.checks.finding import Seen, as_seen
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from catalog_service.store.moment import parts
from schema.errors import CorruptContentError
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
    """Numbers up to the highest in use whose record is missing or unreadable."""

    @property
    def seen(self) -> tuple[Seen, ...]:
        """That no version came since: what an index is repaired under."""
        return Seen(("GET", keys.HEAD), self.head), Seen(("GET", keys.LAST), self.last)

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
    names = (*await ask("HKEYS", keys.VERSIONS), *await ask("ZRANGE", keys.TIMELINE, 0, -1))
    given = range(1, max((int(name) for name in names if name.isdigit()), default=0) + 1)
    versions, damaged = dict[int, Version](), list[int]()
    for part in parts(given, _AT_ONCE):
        for number, data in zip(part, await ask("HMGET", keys.VERSIONS, *part), strict=True):
            version = read_version(number, data)
            if version:
                versions[number] = version
            else:
                damaged.append(number)
    return Facts(as_seen(head), as_seen(last), versions, tuple(damaged))


def read_version(number: int, data: bytes | None) -> Version | None:
    """Return version ``number`` as stored; None where it is missing, unreadable or another one."""
    try:
        version = codec.unpack(data, Version) if data else None
    except CorruptContentError:
        return None
    return version if version and version.version == number else None


def newest(versions: Iterable[Version]) -> int:
    """Return the highest number among ``versions``, 0 where there is none."""
    return max((version.version for version in versions), default=0)
