"""The atomic steps, as Lua: each checks and writes in one indivisible move, or does nothing.

With the ``#!lua`` header a script is refused before it starts when the server is out of memory; one
without could stop half-way (limits-and-faults.md D). Stays within Redis 7.0. All keys share one slot.
"""

from __future__ import annotations

# Keeps a source's newest documents and drops the oldest past the bound, never the one that is served.
_KEEP = """
local function keep(documents, fetched, digest, document, at, most, served)
  if document == '' then return end
  redis.call('HSET', documents, digest, document)
  redis.call('ZADD', fetched, at, digest)
  local surplus = redis.call('ZCARD', fetched) - tonumber(most)
  if surplus < 1 then return end
  for _, old in ipairs(redis.call('ZRANGE', fetched, 0, surplus)) do
    if surplus > 0 and old ~= served then
      redis.call('ZREM', fetched, old)
      redis.call('HDEL', documents, old)
      surplus = surplus - 1
    end
  end
end
"""

# Tells whether a number is not the next one: the head counts too, an older release moves that alone.
_TAKEN = """
local function taken(number)
  local given = tonumber(redis.call('GET', last) or '0')
  local newest_live = tonumber(redis.call('GET', head) or '0')
  return math.max(given, newest_live) + 1 ~= tonumber(number)
end
"""

# Writes a version's content, number and place in time, of either kind.
_WRITE = """
local function write(number, version, changeset, keyframe, marks, since)
  if changeset ~= '' then redis.call('HSET', changesets, number, changeset) end
  if keyframe ~= '' then
    redis.call('HSET', keyframes, number, keyframe)
    redis.call('HSET', marked, number, marks)
    redis.call('ZADD', keyframed, number, number)
  end
  redis.call('HSET', versions, number, version)
  redis.call('ZADD', line, number, number)
  local padded = string.format('%012d', number)
  redis.call('ZADD', timeline, since, padded)
  redis.call('ZADD', timeline_of, since, padded)
  redis.call('SADD', sources, source)
  redis.call('SET', last, number)
end
"""

# Answers: {"OK"}, {"FENCED"}: another runner holds a newer lease of the source;
# {"STALE"}: the source's newest version is not the one the changeset starts from;
# {"MOVED"}: another version was numbered in between: number it anew.
COMMIT = f"""#!lua
local last, versions, changesets, keyframes, marked, line, keyframed, timeline, timeline_of, sources, digests, \
documents, fetched, fences, head, whole_line, live, events, states, held, held_records = unpack(KEYS)
local source, fence, number, digest, version, changeset, keyframe, marks, since, document_digest, document, \
fetched_at, most, base, state, held_id = unpack(ARGV)
{_KEEP}{_TAKEN}{_WRITE}
if (redis.call('HGET', fences, source) or '0') ~= fence then return {{'FENCED'}} end
if (redis.call('HGET', live, source) or '0') ~= base then return {{'STALE'}} end
if taken(number) then return {{'MOVED'}} end
write(number, version, changeset, keyframe, marks, since)
keep(documents, fetched, document_digest, document, fetched_at, most, document_digest)
redis.call('ZADD', whole_line, number, number)
redis.call('HSET', digests, digest, number)
redis.call('HSET', live, source, number)
redis.call('HSET', states, source, state)
if held_id ~= '' then
  redis.call('HDEL', held, held_id)
  redis.call('HDEL', held_records, held_id)
end
redis.call('SET', head, number)
redis.call('XADD', events, number .. '-0', 'version', version)
return {{'OK'}}
"""

# An imported version: no head, no state and no event. Answers as COMMIT, never STALE.
IMPORT = f"""#!lua
local last, versions, changesets, keyframes, marked, line, keyframed, timeline, timeline_of, sources, digests, \
documents, fetched, fences, head = unpack(KEYS)
local source, fence, number, digest, version, changeset, keyframe, marks, since, document_digest, document, \
fetched_at, most, served = unpack(ARGV)
{_KEEP}{_TAKEN}{_WRITE}
if (redis.call('HGET', fences, source) or '0') ~= fence then return {{'FENCED'}} end
if taken(number) then return {{'MOVED'}} end
write(number, version, changeset, keyframe, marks, since)
if redis.call('HEXISTS', documents, document_digest) == 0 then
  keep(documents, fetched, document_digest, document, fetched_at, most, served)
end
redis.call('HSETNX', digests, digest, number)
return {{'OK'}}
"""

# Writes a source's state, and puts up or takes down its held version, under the lease.
RECORD = f"""#!lua
local fences, states, held, held_records, documents, fetched = unpack(KEYS)
local source, fence, state, drop_id, held_id, held_version, records, document_digest, document, fetched_at, most, \
served, drop_document = unpack(ARGV)
{_KEEP}
if (redis.call('HGET', fences, source) or '0') ~= fence then return {{'FENCED'}} end
redis.call('HSET', states, source, state)
if drop_id ~= '' then
  redis.call('HDEL', held, drop_id)
  redis.call('HDEL', held_records, drop_id)
end
if held_id ~= '' then
  redis.call('HSET', held, held_id, held_version)
  redis.call('HSET', held_records, held_id, records)
end
if drop_document ~= '' then
  redis.call('ZREM', fetched, drop_document)
  redis.call('HDEL', documents, drop_document)
end
keep(documents, fetched, document_digest, document, fetched_at, most, served)
return {{'OK'}}
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
