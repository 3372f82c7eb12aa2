"""The atomic steps of telling, as Lua: events into queues, claims, what became of a delivery.

As `commit`: each checks and writes in one indivisible move, or does nothing; all keys share one slot. A subscription's
queue is worked off by whoever has its claim: the token is given back with what came of it. A claim that is not given
back ends by itself: the subscription is due again then.
"""

from __future__ import annotations

from catalog_service.store.commit import AUDIT, NOTE

# Has a subscription looked at now, unless a sender has it in hand: that one looks again by itself.
_SOON = """
local function soon(due, claims, id, now)
  if redis.call('HEXISTS', claims, id) == 0 then redis.call('ZADD', due, now, id) end
end
"""

# Hands one event to the queues it belongs to, and moves on: exactly once, whoever else does the same.
# After the first three, arguments come in threes: id, item, when to look; keys are the queues, in the same order.
RELAY = """#!lua
local relayed, due, dropped = unpack(KEYS, 1, 3)
local before, after, most = unpack(ARGV, 1, 3)
if (redis.call('GET', relayed) or '0') ~= before then return 'MOVED' end
for place = 4, #KEYS do
  local first = 4 + (place - 4) * 3
  local id = ARGV[first]
  if redis.call('RPUSH', KEYS[place], ARGV[first + 1]) > tonumber(most) then
    redis.call('LPOP', KEYS[place])
    redis.call('HINCRBY', dropped, id, 1)
  end
  redis.call('ZADD', due, 'NX', ARGV[first + 2], id)
end
redis.call('SET', relayed, after)
return 'OK'
"""

# Claims subscriptions that are due. Answers {when the next one is due, or ''}, then for each that has something
# waiting: id, subscription, sealed secrets, health, the delivery that is retried, the head of its queue. Each claim has
# a token of its own: sent again after a lost reply, it answers what was claimed then, which nobody else would look at.
CLAIM = """#!lua
local due, claims, subscriptions, sealed, healths, trying = unpack(KEYS)
local token, now, ends, count, queue = unpack(ARGV)
local found, ids = {''}, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, ends, ends)) do
  if redis.call('HGET', claims, id) == token then ids[#ids + 1] = id end
end
if #ids == 0 then ids = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, count) end
for _, id in ipairs(ids) do
  local first, subscription = redis.call('LINDEX', queue .. id, 0), redis.call('HGET', subscriptions, id)
  if first and subscription then
    redis.call('ZADD', due, ends, id)
    redis.call('HSET', claims, id, token)
    found[#found + 1] = {
      id, subscription, redis.call('HGET', sealed, id) or '', redis.call('HGET', healths, id) or '',
      redis.call('HGET', trying, id) or '', first
    }
  else
    redis.call('ZREM', due, id)
    redis.call('HDEL', claims, id)
    if not subscription then redis.call('DEL', queue .. id) end  -- deleted while an event was handed to it
  end
end
found[1] = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2] or ''
return found
"""

# Gives a claim back without an attempt: looked at again at the time given, at none when something comes; at once where
# the subscription changed meanwhile, or its queue has another head. Items may be put there in place of others.
REST = """#!lua
local due, claims, subscriptions, queue = unpack(KEYS)
local id, token, seen, item, at, now, removed = unpack(ARGV, 1, 7)
if redis.call('HGET', claims, id) ~= token then return 'LOST' end
redis.call('HDEL', claims, id)
if redis.call('HGET', subscriptions, id) ~= seen or redis.call('LINDEX', queue, 0) ~= item then at = now end
for place = 8, 7 + tonumber(removed) do redis.call('LREM', queue, 1, ARGV[place]) end
for place = #ARGV, 8 + tonumber(removed), -1 do redis.call('LPUSH', queue, ARGV[place]) end
if at == '' then redis.call('ZREM', due, id) else redis.call('ZADD', due, at, id) end
return 'OK'
"""

# Writes what came of attempts and gives their claims back; each by itself, in one exchange. Their fields come as one
# string, each after its length: as arguments of their own they would cost more than the attempts. ``item``, when it
# is done with, leaves the queue; ``is_tried``: it is what is being retried. ``after`` is the subscription where it is
# changed with it. Answers for each: 1, or 0: the claim was over, and nothing was written.
SETTLE = f"""#!lua
local due, claims, subscriptions, healths, trying, events, head = unpack(KEYS)
local settlements, now, kept, dead_kept, queues, logs, orders, deads = unpack(ARGV)
{NOTE}
local function bounded(index, deliveries, most)
  local surplus = redis.call('ZCARD', index) - tonumber(most)
  if surplus < 1 then return end
  for _, old in ipairs(redis.call('ZRANGE', index, 0, surplus - 1)) do
    redis.call('ZREM', index, old)
    redis.call('HDEL', deliveries, old)
  end
end
local function log(id, delivery_id, delivery, is_dead)
  local logged, dead, deliveries = orders .. id, deads .. id, logs .. id
  redis.call('ZREM', is_dead and logged or dead, delivery_id)
  redis.call('HSET', deliveries, delivery_id, delivery)
  redis.call('ZADD', is_dead and dead or logged, now, delivery_id)
  bounded(logged, deliveries, kept)
  bounded(dead, deliveries, dead_kept)
end
local function settle(...)
  local id, token, item, is_done, is_tried, at, health, delivery_id, delivery, is_dead, before, after, told = ...
  local queue = queues .. id
  if redis.call('HGET', claims, id) ~= token then return 0 end
  redis.call('HDEL', claims, id)
  redis.call('HSET', healths, id, health)
  if delivery ~= '' then log(id, delivery_id, delivery, is_dead == '1') end
  if is_done == '1' then
    redis.call('LREM', queue, 1, item)
    if is_tried == '1' then redis.call('HDEL', trying, id) end
  else
    redis.call('HSET', trying, id, delivery)
  end
  if after ~= '' and redis.call('HGET', subscriptions, id) == before then
    redis.call('HSET', subscriptions, id, after)
    note(events, head, told)
  end
  local first = redis.call('LINDEX', queue, 0)
  if not first then
    redis.call('ZREM', due, id)
  else
    redis.call('ZADD', due, (is_done == '1' or first ~= item) and now or at, id)
  end
  return 1
end
local done, at = {{}}, 1
while at <= #settlements do
  local fields = {{}}
  for place = 1, 13 do fields[place], at = struct.unpack('>I4c0', settlements, at) end
  done[#done + 1] = settle(unpack(fields))
end
return done
"""

# Adds a subscription (before is empty) or puts it in another's place, with its audit entry. Answers MOVED where it, or
# what is sealed of it, is not what it was taken for (read is empty: nobody looked). ``asked`` goes to the head of its
# queue; ``health``, and ``again`` in place of ``tried``, which is retried, are as if nothing had failed.
SUBSCRIBE = f"""#!lua
local subscriptions, sealed, healths, trying, queue, due, claims, audit = unpack(KEYS)
local id, before, after, read, secrets, asked, health, tried, again, now, entry, most = unpack(ARGV)
{AUDIT}{_SOON}
if (redis.call('HGET', subscriptions, id) or '') ~= before then return 'MOVED' end
if read ~= '' and redis.call('HGET', sealed, id) ~= read then return 'MOVED' end
if before == '' and redis.call('HLEN', subscriptions) >= tonumber(most) then return 'FULL' end
redis.call('HSET', subscriptions, id, after)
if secrets ~= '' then redis.call('HSET', sealed, id, secrets) end
if asked ~= '' then redis.call('LPUSH', queue, asked) end
if health ~= '' then
  redis.call('HSET', healths, id, health)
  if again ~= '' and redis.call('HGET', trying, id) == tried then redis.call('HSET', trying, id, again) end
end
if redis.call('LLEN', queue) > 0 then soon(due, claims, id, now) end
tell(audit, entry)
return 'OK'
"""

# Puts what was sealed anew in the place of what it was, with one audit entry: all, or MOVED and nothing where any of it
# is another by now. ``key`` is the signing key (empty: it stays). After the first three, arguments come in threes: id,
# before, after.
RESEAL = f"""#!lua
local sealed, signing_key, audit = unpack(KEYS)
local key, key_after, entry = unpack(ARGV, 1, 3)
{AUDIT}
if key ~= '' and redis.call('GET', signing_key) ~= key then return 'MOVED' end
for place = 4, #ARGV, 3 do
  if redis.call('HGET', sealed, ARGV[place]) ~= ARGV[place + 1] then return 'MOVED' end
end
if key ~= '' then redis.call('SET', signing_key, key_after) end
for place = 4, #ARGV, 3 do redis.call('HSET', sealed, ARGV[place], ARGV[place + 2]) end
tell(audit, entry)
return 'OK'
"""

# Answers every subscription and how it is: subscriptions, healths, lost items and when they are due by id, then what
# waits and what was given up in the order of the first.
STANDINGS = """#!lua flags=no-writes
local subscriptions, healths, dropped, due = unpack(KEYS)
local queue, dead = unpack(ARGV)
local waiting_counts, dead_counts = {}, {}
for place, id in ipairs(redis.call('HKEYS', subscriptions)) do
  waiting_counts[place] = redis.call('LLEN', queue .. id)
  dead_counts[place] = redis.call('ZCARD', dead .. id)
end
return {
  redis.call('HVALS', subscriptions), redis.call('HGETALL', healths), redis.call('HGETALL', dropped),
  redis.call('ZRANGE', due, 0, -1, 'WITHSCORES'), waiting_counts, dead_counts
}
"""

# Deletes a subscription and all that is known of it.
UNSUBSCRIBE = f"""#!lua flags=allow-oom
local subscriptions, sealed, healths, dropped, trying, due, claims, queue, log, logged, dead, audit = unpack(KEYS)
local id, before, entry = unpack(ARGV)
{AUDIT}
if told(audit, entry) then return 'OK' end
if redis.call('HGET', subscriptions, id) ~= before then return 'MOVED' end
for _, hash in ipairs({{subscriptions, sealed, healths, dropped, trying, claims}}) do redis.call('HDEL', hash, id) end
redis.call('ZREM', due, id)
redis.call('DEL', queue, log, logged, dead)
tell(audit, entry)
return 'OK'
"""

# Puts items into a subscription's queue, at its head or its end, with the audit entry of who asked for them; FULL, and
# none of them, where they do not all fit.
ASK = f"""#!lua
local subscriptions, queue, due, claims, audit = unpack(KEYS)
local id, is_front, now, most, entry = unpack(ARGV, 1, 5)
{AUDIT}{_SOON}
if told(audit, entry) then return 'OK' end
if redis.call('HEXISTS', subscriptions, id) == 0 then return 'GONE' end
if redis.call('LLEN', queue) + #ARGV - 5 > tonumber(most) then return 'FULL' end
for place = 6, #ARGV do redis.call(is_front == '1' and 'LPUSH' or 'RPUSH', queue, ARGV[place]) end
soon(due, claims, id, now)
tell(audit, entry)
return 'OK'
"""

# Sets a saved filter, or deletes it (after is empty), with its audit entry.
FILTER = f"""#!lua
local filters, audit = unpack(KEYS)
local name, before, after, entry, most = unpack(ARGV)
{AUDIT}
if (redis.call('HGET', filters, name) or '') ~= before then return 'MOVED' end
if before == '' and redis.call('HLEN', filters) >= tonumber(most) then return 'FULL' end
if after == '' then redis.call('HDEL', filters, name) else redis.call('HSET', filters, name, after) end
tell(audit, entry)
return 'OK'
"""

# Puts another signing key in the place of the one there is, with its audit entry.
RENEW = f"""#!lua
local signing_key, audit = unpack(KEYS)
local before, after, entry = unpack(ARGV)
{AUDIT}
if told(audit, entry) then return 'OK' end
if (redis.call('GET', signing_key) or '') ~= before then return 'MOVED' end
redis.call('SET', signing_key, after)
tell(audit, entry)
return 'OK'
"""
