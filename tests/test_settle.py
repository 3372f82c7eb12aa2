"""What several changesets take back among themselves."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_service.catalog.diff import diff
from catalog_service.catalog.fold import fold
from catalog_service.catalog.settle import TakenBack, taken_back
from schema.change import Changeset
from schema.endpoint_set import EndpointSet
from schema.errors import CorruptContentError
from tests.records import contents, record

Content = tuple[EndpointSet, ...]


def found(states: list[Content]) -> tuple[TakenBack, ...]:
    """What was taken back on the way from the first of ``states`` to the last."""
    steps = [diff(one, two) for one, two in pairwise(states)]
    return taken_back(steps, fold(steps), {one.id: one for one in states[-1]})


def touched(changes: Changeset) -> set[tuple[str, str]]:
    """Every (record, member) that ``changes`` add or remove."""
    return {
        (one.id, member)
        for one in changes
        for member in (*one.prefixes_added, *one.prefixes_removed, *one.fqdns_added, *one.fqdns_removed)
    }


@given(st.lists(contents, min_size=2, max_size=5))
def test_taken_back_is_what_moved_and_makes_no_difference(states: list[Content]) -> None:
    """It is what some step touches and the diff of the ends does not: in both of them then, or in neither."""
    pairs = {(one.record.id, member) for one in found(states) for member in (*one.prefixes, *one.fqdns)}
    moved = set[tuple[str, str]]().union(*(touched(diff(one, two)) for one, two in pairwise(states)))
    assert pairs == moved - touched(diff(states[0], states[-1]))
    ends = [{(one.id, member) for one in state for member in (*one.prefixes, *one.fqdns)} for state in states]
    assert all((pair in ends[0]) is (pair in ends[-1]) for pair in pairs)


def test_a_record_that_comes_and_goes_is_told_as_it_last_was() -> None:
    """What was only there in between has no record afterwards: the one that was removed stands for it."""
    first, second = (record("k", prefixes=("20.0.0.0/16",), required=required) for required in (False, True))
    assert found([(), (first,), (second,), ()]) == (TakenBack(second, ("20.0.0.0/16",), ()),)


def test_one_step_takes_nothing_back() -> None:
    """A single changeset cannot."""
    assert found([(), (record("k", prefixes=("20.0.0.0/16",)),)]) == ()


def test_steps_that_led_elsewhere_are_refused() -> None:
    """A record that came, went and came again, and is not there: corrupt content, never a guess."""
    one, two = (record("k", prefixes=("20.0.0.0/16",)),), (record("k", prefixes=("20.1.0.0/16",)),)
    steps = [diff(one, two), diff(two, one)]
    with pytest.raises(CorruptContentError):
        taken_back(steps, fold(steps), {})
