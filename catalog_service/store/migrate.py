"""Data that an older release wrote is brought to this one's form, in place.

Each step may be done again, by a process that died in it or by two at once. Called when a store is opened.
"""

from __future__ import annotations

from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.leases import Ask
from catalog_service.store.versions import padded, valid_since
from schema.version import Version

FORMAT = 2
"""The form this release reads and writes."""


async def migrate(redis: Redis, form: int) -> None:
    """Bring data of form ``form``, 1, to `FORMAT`."""
    if form == 1:
        await _timelines(redis)
    await redis.set(keys.FORMAT, FORMAT)


async def _timelines(redis: Redis) -> None:
    """Form 2 has a line of all live versions, timelines, and a count of its own of the numbers given."""
    ask: Ask = redis.execute_command
    found = await ask("HVALS", keys.VERSIONS)
    newest: dict[str, float] = {}
    for version in sorted((codec.unpack(data, Version) for data in found), key=lambda one: one.version):
        since = newest[version.source] = valid_since(version, newest.get(version.source))
        await ask("ZADD", keys.LINE, version.version, version.version)
        for line in (keys.TIMELINE, keys.timeline(version.source)):
            await ask("ZADD", line, since, padded(version.version))
        await ask("SADD", keys.SOURCES, version.source)
    if head := await ask("GET", keys.HEAD):
        await ask("SET", keys.LAST, head, "NX")
    if await ask("EXISTS", f"{keys.TAG}:newest"):  # under its new name an older release still running cannot commit
        await ask("RENAME", f"{keys.TAG}:newest", keys.LIVE)
