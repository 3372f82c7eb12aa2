"""Several changesets as one, a changeset onto records, a changeset backwards.

Laws (tests/test_diff.py): apply(a, diff(a, b)) == b; fold(diff(a, b), diff(b, c)) == diff(a, c);
invert(diff(a, b)) == diff(b, a). Any two versions are compared this way, without loading either
(measured: 4x faster than loading both, limits-and-faults.md A1).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from msgspec import UNSET
from msgspec.structs import replace

from catalog_service.catalog.diff import ATTRIBUTES, FIELDS, added, change_between, removed
from schema.change import AttributeChange, Change, Changeset
from schema.endpoint_set import Attributes, EndpointSet
from schema.errors import CorruptContentError
from schema.prefix import canonical_prefixes, merge_prefixes
from schema.words import Cloud, Direction, Disposition

_ENUMS: dict[str, type[Cloud | Direction]] = {"cloud": Cloud, "direction": Direction}
ADD, CHANGE, REMOVE = Disposition.ADD, Disposition.CHANGE, Disposition.REMOVE


def apply(records: Iterable[EndpointSet], changes: Changeset) -> tuple[EndpointSet, ...]:
    """Return ``records`` after ``changes``, sorted by id.

    Raises:
        CorruptContentError: a change does not fit the records (adds what is there, touches what is not).
    """
    after = {record.id: record for record in records}
    for change in changes:
        if (change.id in after) is (change.disposition is ADD):
            raise CorruptContentError(f"{change.disposition} of {change.id} does not fit", id=change.id)
        if change.disposition is REMOVE:
            del after[change.id]
        else:
            after[change.id] = change.record or changed(after[change.id], change)
    return tuple(sorted(after.values(), key=lambda record: record.id))


def fold(changesets: Iterable[Changeset]) -> Changeset:
    """Return the one changeset that does what ``changesets`` do in their order.

    Raises:
        CorruptContentError: they do not follow one another.
    """
    history: dict[str, list[Change]] = {}
    for changes in changesets:
        for change in changes:
            history.setdefault(change.id, []).append(change)
    folded = (one[0] if len(one) == 1 else _composed(one) for one in history.values())
    return tuple(sorted((change for change in folded if change), key=lambda change: change.id))


def invert(changes: Changeset) -> Changeset:
    """Return the changeset that takes ``changes`` back."""
    return tuple(_inverse(change) for change in changes)


def changed(record: EndpointSet, change: Change) -> EndpointSet:
    """Return ``record`` after ``change``, a Change of it."""
    fields: dict[str, object] = {}
    if change.prefixes_added or change.prefixes_removed:
        fields["prefixes"] = merge_prefixes(record.prefixes, change.prefixes_added, set(change.prefixes_removed))
    if change.fqdns_added or change.fqdns_removed:
        fields["fqdns"] = tuple(sorted({*record.fqdns, *change.fqdns_added} - {*change.fqdns_removed}))
    return replace(record, **fields, **_attribute_fields(record, change.attributes))


def _attribute_fields(record: EndpointSet, changes: tuple[AttributeChange, ...]) -> dict[str, object]:
    fields = {change.name: _typed(change) for change in changes if change.name in FIELDS}
    upstream = {change.name: change.current for change in changes if change.name in ATTRIBUTES}
    if upstream:
        attributes = replace(record.attributes or Attributes(), **upstream)
        fields["attributes"] = attributes if attributes != Attributes() else None
    return fields


def _typed(change: AttributeChange) -> object:
    """Return a field's new value as the record holds it: enums as enums, absent as its default."""
    value = change.current
    if value is UNSET:
        return () if isinstance(change.previous, tuple) else None
    if isinstance(value, str) and change.name in _ENUMS:
        return _ENUMS[change.name](value)
    if isinstance(value, tuple) and change.name == "clouds":
        return tuple(Cloud(cloud) for cloud in value)
    return value


def _inverse(change: Change) -> Change:
    opposite = {ADD: REMOVE, REMOVE: ADD, CHANGE: CHANGE}
    return Change(
        change.id,
        opposite[change.disposition],
        change.prefixes_removed,
        change.prefixes_added,
        change.fqdns_removed,
        change.fqdns_added,
        tuple(AttributeChange(one.name, one.current, one.previous) for one in change.attributes),
        change.record,
    )


def _composed(history: list[Change]) -> Change | None:
    """Compose the changes of one id, in order.

    before | after   | result
    there  | there   | Change: net of the Changes, or of first and last record if it left in between
    there  | gone    | Remove of the record as it first was
    absent | there   | Add of the record as it last is
    absent | gone    | nothing
    """
    _check_order(history)
    if all(change.disposition is CHANGE for change in history):
        return _net(history)
    before = None if history[0].disposition is ADD else _first_record(history)
    after = None if history[-1].disposition is REMOVE else _last_record(history)
    if before and after:
        return change_between(before, after)
    return removed(before) if before else added(after) if after else None


def _check_order(history: list[Change]) -> None:
    for one, two in pairwise(history):
        if (one.disposition is REMOVE) is not (two.disposition is ADD):
            raise CorruptContentError(f"{two.disposition} of {two.id} follows {one.disposition}", id=two.id)


def _first_record(history: list[Change]) -> EndpointSet:
    """Return the record as it was before ``history``, from its first Remove backwards."""
    index = next(i for i, change in enumerate(history) if change.disposition is REMOVE)
    record = history[index].record
    for change in reversed(history[:index]):
        record = changed(record, _inverse(change)) if record else None
    if record is None:
        raise CorruptContentError(f"Remove of {history[0].id} carries no record", id=history[0].id)
    return record


def _last_record(history: list[Change]) -> EndpointSet:
    """Return the record as it is after ``history``, from its last Add forwards."""
    index = max(i for i, change in enumerate(history) if change.disposition is ADD)
    record = history[index].record
    for change in history[index + 1 :]:
        record = changed(record, change) if record else None
    if record is None:
        raise CorruptContentError(f"Add of {history[0].id} carries no record", id=history[0].id)
    return record


def _net(history: list[Change]) -> Change | None:
    prefixes_added, prefixes_removed = _net_members([(one.prefixes_added, one.prefixes_removed) for one in history])
    fqdns_added, fqdns_removed = _net_members([(one.fqdns_added, one.fqdns_removed) for one in history])
    attributes = _net_attributes(history)
    if not (prefixes_added or prefixes_removed or fqdns_added or fqdns_removed or attributes):
        return None
    return Change(
        history[0].id,
        CHANGE,
        canonical_prefixes(prefixes_added),
        canonical_prefixes(prefixes_removed),
        tuple(sorted(fqdns_added)),
        tuple(sorted(fqdns_removed)),
        attributes,
    )


def _net_members(steps: list[tuple[tuple[str, ...], tuple[str, ...]]]) -> tuple[set[str], set[str]]:
    """Return what all ``steps`` together gained and lost; what came and left in between is neither."""
    gained: set[str] = set()
    lost: set[str] = set()
    for added_now, removed_now in steps:
        back, undone = lost.intersection(added_now), gained.intersection(removed_now)
        gained.update(added_now)
        lost.update(removed_now)
        gained -= back | undone
        lost -= back | undone
    return gained, lost


def _net_attributes(history: list[Change]) -> tuple[AttributeChange, ...]:
    first: dict[str, AttributeChange] = {}
    last: dict[str, AttributeChange] = {}
    for change in history:
        for one in change.attributes:
            first.setdefault(one.name, one)
            last[one.name] = one
    return tuple(
        AttributeChange(name, first[name].previous, last[name].current)
        for name in sorted(first)
        if first[name].previous != last[name].current
    )
