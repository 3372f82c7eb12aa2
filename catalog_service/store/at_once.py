"""Several reads as of one moment: a script without writes, since a Redis that is full takes no MULTI.

Called by `moment`, `steps` and the checks of `fsck`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redis.asyncio import Redis

from catalog_service.store import keys
from catalog_service.store.leases import Script

_READ = """#!lua flags=no-writes
local replies, at = {}, 1
while at < #ARGV do
  local last = at + tonumber(ARGV[at])
  replies[#replies + 1] = redis.call(unpack(ARGV, at + 1, last))
  at = last + 1
end
return replies
"""


async def at_once(redis: Redis, commands: Iterable[tuple[str | int, ...]]) -> list[Any]:
    """Return what Redis answers to ``commands``, which only read, in their order, as of one moment."""
    asked = tuple(commands)
    read: Script = redis.register_script(_READ)
    replies = await read(keys=[keys.HEAD], args=[word for one in asked for word in (len(one), *one)])
    decoders = [redis.response_callbacks.get(str(one[0])) for one in asked]
    pairs = zip(decoders, replies, strict=True)
    return [decode(reply) if decode and reply is not None else reply for decode, reply in pairs]
