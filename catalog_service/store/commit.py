"""The atomic steps, as Lua: each checks and writes in one indivisible move, or does nothing.

With the ``#!lua`` header a script is refused before it starts when the server is out of memory; one
without could stop half-way (limits-and-faults.md D). Stays within Redis 7.0. All keys share one slot.
"""

from __future__ import annotations

# Answers: {"OK"}, {"FENCED"}: another runner holds a newer lease of the source;
# {"STALE"}: the source's newest version is not the one the changeset starts from;
# {"MOVED", head}: another source committed in between, the number is taken: number it anew.
COMMIT = """#!lua
local head, versions, changesets, keyframes, newest, line, keyframed, digests, events, fences, states, held, \
held_records = unpack(KEYS)
local source, fence, base, number, digest, version, changeset, keyframe, state, held_id = unpack(ARGV)
if (redis.call('HGET', fences, source) or '0') ~= fence then return {'FENCED'} end
if (redis.call('HGET', newest, source) or '0') ~= base then return {'STALE'} end
local now_head = redis.call('GET', head) or '0'
if tonumber(now_head) + 1 ~= tonumber(number) then return {'MOVED', now_head} end
if changeset ~= '' then redis.call('HSET', changesets, number, changeset) end
if keyframe ~= '' then
  redis.call('HSET', keyframes, number, keyframe)
  redis.call('ZADD', keyframed, number, number)
end
redis.call('HSET', versions, number, version)
redis.call('ZADD', line, number, number)
redis.call('HSET', digests, digest, number)
redis.call('HSET', newest, source, number)
redis.call('HSET', states, source, state)
if held_id ~= '' then
  redis.call('HDEL', held, held_id)
  redis.call('HDEL', held_records, held_id)
end
redis.call('SET', head, number)
redis.call('XADD', events, number .. '-0', 'version', version)
return {'OK'}
"""

# Writes a source's state, and puts up or takes down its held version, under the lease.
RECORD = """#!lua
local fences, states, held, held_records = unpack(KEYS)
local source, fence, state, drop_id, held_id, held_version, records = unpack(ARGV)
if (redis.call('HGET', fences, source) or '0') ~= fence then return {'FENCED'} end
redis.call('HSET', states, source, state)
if drop_id ~= '' then
  redis.call('HDEL', held, drop_id)
  redis.call('HDEL', held_records, drop_id)
end
if held_id ~= '' then
  redis.call('HSET', held, held_id, held_version)
  redis.call('HSET', held_records, held_id, records)
end
return {'OK'}
"""

# Takes the lease if it is free: answers the new fencing token, or 0; sent again after a lost reply, the same.
ACQUIRE = """#!lua
local lease, fences = unpack(KEYS)
local source, token, ttl_ms = unpack(ARGV)
if redis.call('GET', lease) == token then return tonumber(redis.call('HGET', fences, source)) end
if not redis.call('SET', lease, token, 'NX', 'PX', ttl_ms) then return 0 end
return redis.call('HINCRBY', fences, source, 1)
"""

# Prolongs (ttl_ms > 0) or gives back (ttl_ms = 0) a lease that is still one's own: answers 1, or 0.
KEEP = """#!lua
local lease = KEYS[1]
local token, ttl_ms = unpack(ARGV)
if redis.call('GET', lease) ~= token then return 0 end
if ttl_ms == '0' then return redis.call('DEL', lease) end
return redis.call('PEXPIRE', lease, ttl_ms)
"""
