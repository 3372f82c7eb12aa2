"""Diff, apply, fold and invert obey their laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from msgspec import UNSET
from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.catalog.fold import apply, fold, invert
from schema.change import AttributeChange, summarize
from schema.endpoint_set import Attributes, EndpointSet
from schema.errors import CorruptContentError
from schema.words import Cloud, Disposition
from tests.records import contents, record

Content = tuple[EndpointSet, ...]


@given(contents)
def test_nothing_differs_from_itself(one: Content) -> None:
    """diff(a, a) is empty."""
    assert diff(one, one) == ()


@given(contents, contents)
def test_a_diff_leads_from_one_to_the_other(one: Content, two: Content) -> None:
    """apply(a, diff(a, b)) == b, and its inverse leads back."""
    changes = diff(one, two)
    assert apply(one, changes) == two
    assert apply(two, invert(changes)) == one
    assert invert(changes) == diff(two, one)
    assert (changes == ()) is (one == two)


@given(contents, contents, contents, contents)
def test_folding_is_the_diff_of_the_ends(one: Content, two: Content, three: Content, four: Content) -> None:
    """fold(diff(a, b), diff(b, c), diff(c, d)) == diff(a, d), also in two halves."""
    steps = [diff(one, two), diff(two, three), diff(three, four)]
    assert fold(steps) == diff(one, four)
    assert fold([fold(steps[:2]), steps[2]]) == diff(one, four)


@given(contents, contents)
def test_the_summary_counts_pairs(one: Content, two: Content) -> None:
    """The summary's prefix counts are the sizes of the two set differences of (record, prefix) pairs."""
    counts = summarize(diff(one, two))
    before = {(record.id, prefix) for record in one for prefix in record.prefixes}
    after = {(record.id, prefix) for record in two for prefix in record.prefixes}
    assert (counts.prefixes_added, counts.prefixes_removed) == (len(after - before), len(before - after))
    assert counts.endpoint_sets_added - counts.endpoint_sets_removed == len(two) - len(one)


def test_a_change_says_what_moved_and_what_it_was() -> None:
    """Members come as lists, every other field as previous and current."""
    before = record("k", prefixes=("20.0.0.0/16",), region="eastus", attributes=Attributes(change_number=7))
    after = record(
        "k", prefixes=("20.1.0.0/16",), attributes=Attributes(change_number=8, network_features=None), required=True
    )
    (change,) = diff((before,), (after,))
    assert change.disposition is Disposition.CHANGE
    assert (change.prefixes_added, change.prefixes_removed) == (("20.1.0.0/16",), ("20.0.0.0/16",))
    assert change.attributes == (
        AttributeChange("change_number", 7, 8),
        AttributeChange("network_features", UNSET, None),
        AttributeChange("region", "eastus", UNSET),
        AttributeChange("required", UNSET, True),
    )


def test_absent_null_and_empty_network_features_are_three_states() -> None:
    """Upstream's three ways to have no network features differ from each other (sources.md T1)."""
    states = [Attributes(change_number=1, network_features=state) for state in (UNSET, None, ())]
    made = [record("k", attributes=state) for state in states]
    for one in made:
        assert [diff((one,), (two,)) == () for two in made] == [one is two for two in made]


def test_a_heading_that_moves_is_no_change() -> None:
    """Where a record stood in its page is provenance, not content."""
    one = record("k", prefixes=("20.0.0.0/16",))
    assert diff((one,), (replace(one, heading=("New heading",)),)) == ()


def test_a_cloud_that_widens_and_narrows_is_one_change_each_way() -> None:
    """One cloud to several and back survives apply."""
    one, two = record("k", clouds=(Cloud.PUBLIC,)), record("k", clouds=(Cloud.PUBLIC, Cloud.USGOV))
    assert apply((one,), diff((one,), (two,))) == (two,)
    assert apply((two,), diff((two,), (one,))) == (one,)


def test_patterns_that_come_and_go_are_an_attribute() -> None:
    """A record that gains, changes or loses its patterns changed, and apply leads both ways."""
    states = [
        record("k", patterns=patterns) for patterns in ((), ("localhost",), ("<tenant>.example.com", "localhost"))
    ]
    for one in states:
        for two in states:
            changes = diff((one,), (two,))
            assert apply((one,), changes) == (two,)
            assert (changes == ()) is (one is two)
    ((change,), (back,)) = diff((states[0],), (states[1],)), diff((states[1],), (states[0],))
    assert change.attributes == (AttributeChange("patterns", UNSET, ("localhost",)),)
    assert back.attributes == (AttributeChange("patterns", ("localhost",), UNSET),)


def test_changes_that_do_not_fit_are_refused() -> None:
    """A changeset applied to other records, or folded out of order, is corrupt content, never a guess."""
    one, two = (record("k", prefixes=("20.0.0.0/16",)),), (record("k", prefixes=("20.1.0.0/16",)),)
    for records, changes in (((), diff(one, two)), (one, diff((), one)), ((), diff(one, ()))):
        with pytest.raises(CorruptContentError):
            apply(records, changes)
    with pytest.raises(CorruptContentError):
        fold([diff((), one), diff((), one)])
