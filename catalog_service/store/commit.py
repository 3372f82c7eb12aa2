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

# Takes down one held version and puts up another; tells whether that one is new.
_HOLD = """
local function hold(held, held_records, drop, id, version, records)
  local known = id == '' or redis.call('HEXISTS', held, id) == 1
  if drop ~= '' then
    redis.call('HDEL', held, drop)
    redis.call('HDEL', held_records, drop)
  end
  if id ~= '' then
    redis.call('HSET', held, id, version)
    redis.call('HSET', held_records, id, records)
  end
  return not known
end
"""

# Puts a notice into the changeset stream, right after the newest version; once, though it is sent again after a lost
# reply. Never before an entry that is there, whatever the head says: what was written before it would stand alone.
NOTE = """
local function note(events, head, notice)
  if notice == '' then return end
  local newest = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  if newest and newest[2][2] == notice then return end
  local at = newest and tonumber(newest[1]:match('^%d+')) or 0
  at = math.max(at, tonumber(redis.call('GET', head) or '0'))
  redis.call('XADD', events, string.format('%d-*', at), 'notice', notice)
end
"""

# Tells of what a person did, where it was one; once, though it is sent again after a lost reply; whether it was done
# is told by its entry, where what was done leaves nothing else to compare with. Each entry has the
# SHA-1 of the one before's and itself: a line that is changed or taken out breaks the chain (`Audit.checked`).
AUDIT = """
local function told(audit, entry)
  for _, one in ipairs(redis.call('XREVRANGE', audit, '+', '-', 'COUNT', 10)) do
    if one[2][2] == entry then return true end
  end
  return false
end
local function tell(audit, entry)
  if entry == '' then return end
  local newest = redis.call('XREVRANGE', audit, '+', '-', 'COUNT', 1)[1]
  if newest and newest[2][2] == entry then return end
  local chain = redis.sha1hex((newest and newest[2][4] or '') .. entry)
  redis.call('XADD', audit, 'MAXLEN', '~', 10000, '*', 'entry', entry, 'chain', chain)
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

# Reads a key: whoever may do that by a script may do the rest.
PROBE = """#!lua flags=no-writes
return redis.call('EXISTS', KEYS[1])
"""

# Answers: {"OK"}, {"FENCED"}: another runner holds a newer lease of the source;
# {"STALE"}: the source's newest version is not the one the changeset starts from;
# {"MOVED"}: another version was numbered in between: number it anew.
COMMIT = f"""#!lua
local last, versions, changesets, keyframes, marked, line, keyframed, timeline, timeline_of, sources, digests, \
documents, fetched, fences, head, whole_line, live, events, states, held, held_records, audit = unpack(KEYS)
local source, fence, number, digest, version, changeset, keyframe, marks, since, document_digest, document, \
fetched_at, most, base, state, drop_id, held_id, held_version, records, entry, notice = unpack(ARGV)
{_KEEP}{_HOLD}{NOTE}{AUDIT}{_TAKEN}{_WRITE}
if (redis.call('HGET', fences, source) or '0') ~= fence then return {{'FENCED'}} end
if (redis.call('HGET', live, source) or '0') ~= base then return {{'STALE'}} end
if taken(number) then return {{'MOVED'}} end
write(number, version, changeset, keyframe, marks, since)
keep(documents, fetched, document_digest, document, fetched_at, most, document_digest)
redis.call('ZADD', whole_line, number, number)
redis.call('HSET', digests, digest, number)
redis.call('HSET', live, source, number)
redis.call('HSET', states, source, state)
hold(held, held_records, drop_id, held_id, held_version, records)
tell(audit, entry)
redis.call('SET', head, number)
redis.call('XADD', events, number .. '-0', 'version', version)
note(events, head, notice)
return {{'OK'}}
"""

# An imported version: no head, no state and no event. Answers as COMMIT, never STALE; OK also where it is there under
# this number: sent again after a lost reply.
IMPORT = f"""#!lua
local last, versions, changesets, keyframes, marked, line, keyframed, timeline, timeline_of, sources, digests, \
documents, fetched, fences, head = unpack(KEYS)
local source, fence, number, digest, version, changeset, keyframe, marks, since, document_digest, document, \
fetched_at, most, served = unpack(ARGV)
{_KEEP}{_TAKEN}{_WRITE}
if (redis.call('HGET', fences, source) or '0') ~= fence then return {{'FENCED'}} end
if redis.call('HGET', versions, number) == version then return {{'OK'}} end
if taken(number) then return {{'MOVED'}} end
write(number, version, changeset, keyframe, marks, since)
if redis.call('HEXISTS', documents, document_digest) == 0 then
  keep(documents, fetched, document_digest, document, fetched_at, most, served)
end
redis.call('HSETNX', digests, digest, number)
return {{'OK'}}
"""

# Writes a source's state, and puts up or takes down its held version, under the lease. A notice goes with a state that
# is new: sent again after a lost reply, it was told, whatever was told since.
RECORD = f"""#!lua
local fences, states, held, held_records, documents, fetched, audit, events, head = unpack(KEYS)
local source, fence, state, drop_id, held_id, held_version, records, document_digest, document, fetched_at, most, \
served, drop_document, entry, notice, held_notice = unpack(ARGV)
{_KEEP}{_HOLD}{NOTE}{AUDIT}
if (redis.call('HGET', fences, source) or '0') ~= fence then return {{'FENCED'}} end
if redis.call('HGET', states, source) == state then notice = '' end
redis.call('HSET', states, source, state)
local is_new = hold(held, held_records, drop_id, held_id, held_version, records)
tell(audit, entry)
note(events, head, notice)
if is_new then note(events, head, held_notice) end
if drop_document ~= '' then
  redis.call('ZREM', fetched, drop_document)
  redis.call('HDEL', documents, drop_document)
end
keep(documents, fetched, document_digest, document, fetched_at, most, served)
return {{'OK'}}
"""

# Sets a label, or deletes it (after is empty), with its audit entry. Answers OK, also where it is so already;
# MOVED: it is not what it was taken for; GONE: one of the versions that the point needs, listed last, was pruned.
LABEL = f"""#!lua
local labels, gone, audit = unpack(KEYS)
local name, before, after, entry = unpack(ARGV)
{AUDIT}
for place = 5, #ARGV do
  if redis.call('ZSCORE', gone, ARGV[place]) then return 'GONE' end
end
local now = redis.call('HGET', labels, name) or ''
if now == after then return 'OK' end
if now ~= before then return 'MOVED' end
if after == '' then redis.call('HDEL', labels, name) else redis.call('HSET', labels, name, after) end
tell(audit, entry)
return 'OK'
"""

# Reads all that a content is rebuilt from at one instant: a keyframe, its marks, the numbers since and their
# changesets. Answers {"GONE"}: it was pruned; {"NONE"}: it has no keyframe.
LOAD = """#!lua flags=no-writes
local keyframed, line, keyframes, marked, changesets, gone = unpack(KEYS)
local number = ARGV[1]
if redis.call('ZSCORE', gone, number) then return {'GONE'} end
local start = redis.call('ZREVRANGEBYSCORE', keyframed, number, '-inf', 'LIMIT', 0, 1)[1]
local keyframe = start and redis.call('HGET', keyframes, start)
if not keyframe then return {'NONE'} end
local chain, steps = redis.call('ZRANGEBYSCORE', line, '(' .. start, number), {}
if #chain > 0 then steps = redis.call('HMGET', changesets, unpack(chain)) end
return {'OK', keyframe, redis.call('HGET', marked, start), chain, steps}
"""

# Gives a version a keyframe of its own, unless it was pruned. Pruning makes room: it goes on without any.
KEYFRAME = """#!lua flags=allow-oom
local keyframed, keyframes, marked, gone = unpack(KEYS)
local number, keyframe, marks = unpack(ARGV)
if redis.call('ZSCORE', gone, number) then return 0 end
redis.call('HSET', keyframes, number, keyframe)
redis.call('HSET', marked, number, marks)
return redis.call('ZADD', keyframed, number, number)
"""

# Drops contents and moves the floor, with its audit entry where a person wants it. Answers OK; MOVED: floor or labels
# are not those it was planned with.
PRUNE = f"""#!lua flags=allow-oom
local floor, gone, labels, changesets, keyframes, marked, audit = unpack(KEYS, 1, 7)
-- Not the rest, nor as many keys: Lua unpacks up to some 8,000, and who prunes for the first time has more.
local before, after, count, entry = unpack(ARGV, 1, 4)
{AUDIT}
if (redis.call('GET', floor) or '0') ~= before then return 'MOVED' end
if redis.call('HLEN', labels) ~= tonumber(count) then return 'MOVED' end
local first = 5 + 2 * tonumber(count)
for place = 5, first - 1, 2 do
  if redis.call('HGET', labels, ARGV[place]) ~= ARGV[place + 1] then return 'MOVED' end
end
for place = first, #ARGV, 2 do
  local number = ARGV[place]
  redis.call('HDEL', changesets, number)
  redis.call('HDEL', keyframes, number)
  redis.call('HDEL', marked, number)
  redis.call('ZREM', KEYS[tonumber(ARGV[place + 1])], number)
  redis.call('ZADD', gone, number, number)
end
redis.call('SET', floor, after)
tell(audit, entry)
return 'OK'
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
KEEP = """#!lua flags=allow-oom
local lease = KEYS[1]
local token, ttl_ms = unpack(ARGV)
if redis.call('GET', lease) ~= token then return 0 end
if ttl_ms == '0' then return redis.call('DEL', lease) end
return redis.call('PEXPIRE', lease, ttl_ms)
"""
