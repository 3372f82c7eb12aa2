"""fsck: does all that is stored hold together, and is what does not mended from what does.

Reads in portions while the service goes on; what is found is looked at once more before it is told, so that what was
only on its way is not. Each repair is one atomic step with its audit entry, taken only while what it was worked out
from is as it was seen. Called by the command line.
"""

from __future__ import annotations

from msgspec import Struct
from redis.exceptions import ResponseError

from catalog_service.store import keys
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.checks import contents, events, numbers, people, sources, telling
from catalog_service.store.checks.finding import RESTORE, Check, Finding, Told
from catalog_service.store.commit import AUDIT
from catalog_service.store.connect import Store
from catalog_service.store.leases import Script
from schema.access import COMMAND_LINE
from schema.clock import Clock
from schema.errors import CorruptContentError
from schema.version import AuditEntry

CHECKS: tuple[Check, ...] = (
    numbers.records,
    numbers.indexes,
    contents.contents,
    events.events,
    sources.states,
    sources.fences,
    sources.held,
    sources.documents,
    people.labels,
    people.saved_filters,
    people.tokens,
    people.audit,
    telling.subscriptions,
    telling.known_of_them,
    telling.deliveries,
)
"""In this order: what later ones start from is mended first."""
_ROUNDS = 5

# Takes the steps if everything seen is still so, with the audit entry. Arguments are the entry, how many commands are
# looked at and how many are taken; then of each of the former its length, its words and the reply, of the latter its
# length and its words. Answers OK or MOVED.
REPAIR = f"""#!lua flags=allow-oom
local audit = KEYS[1]
local entry, seen_count, step_count = unpack(ARGV, 1, 3)
local at = 4
{AUDIT}
local function call()
  local first, length = at + 1, tonumber(ARGV[at])
  at = first + length
  return redis.call(unpack(ARGV, first, at - 1))
end
for _ = 1, seen_count do
  local reply = call()
  if type(reply) == 'number' then reply = string.format('%d', reply) end
  if (reply or '') ~= ARGV[at] then return 'MOVED' end
  at = at + 1
end
for _ = 1, step_count do call() end
tell(audit, entry)
return 'OK'
"""


class Outcome(Struct, frozen=True):
    """A finding, and what became of it."""

    code: str
    subject: str
    problem: str
    way_out: str
    state: str
    """``repaired``; ``repairable``: ``--repair`` mends it; ``left``: a person has to."""


class Report(Struct, frozen=True):
    """What was looked at, and what was found."""

    version_count: int
    findings: tuple[Outcome, ...]

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing is left."""
        return all(one.state == "repaired" for one in self.findings)


async def fsck(store: Store, clock: Clock, *, repair_by: str | None = None, told: Told = lambda _: None) -> Report:
    """Return what does not hold in ``store``; with ``repair_by``, what can be repaired is, in that person's name.

    ``told`` hears how far it is.
    """
    outcomes: list[Outcome] = []
    for check in CHECKS:
        found = await _found(store, check, told)
        if repair_by:
            repaired, found = await _repaired(store, check, found, clock, repair_by, told)
            outcomes += [_outcome(one, "repaired") for one in repaired]
        outcomes += [_outcome(one, "repairable" if one.repair else "left") for one in found]
    return Report(await _version_count(store), tuple(outcomes))


async def _version_count(store: Store) -> int:
    """Return how many versions there are, 0 where what should hold them is of another kind: that was found."""
    is_hash = await store.redis.type(keys.VERSIONS) == b"hash"
    return await store.redis.hlen(keys.VERSIONS) if is_hash else 0


async def _found(store: Store, check: Check, told: Told) -> list[Finding]:
    """Return what ``check`` finds twice."""
    first = await _looked(store, check, told)
    if not first:
        return []
    again = await _looked(store, check, told)
    return [finding for finding in again if finding in first]


async def _looked(store: Store, check: Check, told: Told) -> list[Finding]:
    """Return what ``check`` finds; where a key is, or holds, nothing of the kind that it is taken for, that."""
    found: list[Finding] = []
    try:
        async for finding in check(store, told):
            found.append(finding)  # noqa: PERF401 - those before the error count
    except (ValueError, CorruptContentError, ResponseError) as error:
        if isinstance(error, ResponseError) and "WRONGTYPE" not in str(error):
            raise
        problem = (
            f"something is not of the kind that it has to be, so that {check.__name__} cannot be looked at: {error}"
        )
        found.append(Finding("kind", check.__name__, problem, RESTORE))
    return found


async def _repaired(
    store: Store, check: Check, found: list[Finding], clock: Clock, who: str, told: Told
) -> tuple[list[Finding], list[Finding]]:
    """Return what of ``found`` was repaired, and what is left then: one repair may bare the next finding."""
    done: list[Finding] = []
    for _ in range(_ROUNDS):
        mended = [one for one in found if one.repair and await _mend(store, one, clock, who)]
        if not mended:
            break
        done += mended
        found = await _found(store, check, told)
    return done, found


async def _mend(store: Store, finding: Finding, clock: Clock, who: str) -> bool:
    """Repair ``finding``; False where anything moved meanwhile."""
    assert finding.repair
    mend: Script = store.redis.register_script(REPAIR)
    seen, steps = finding.repair.seen, finding.repair.steps
    entry = AuditEntry(clock(), who, "fsck-repair", finding.subject, finding.problem, finding.way_out, COMMAND_LINE)
    words: list[str | bytes | int] = [packed(entry), len(seen), len(steps)]
    for one in seen:
        words += [len(one.command), *one.command, one.reply]
    for step in steps:
        words += [len(step), *step]
    done = bytes(await mend(keys=[keys.AUDIT], args=words)) == b"OK"
    log_audit(entry if done else None)
    return done


def _outcome(finding: Finding, state: str) -> Outcome:
    return Outcome(finding.code, finding.subject, finding.problem, finding.way_out, state)
