"""Impacts have an order: what asks more of a customer comes before what asks less."""

from __future__ import annotations

import pytest

from schema.words import Impact, at_least

ADDED = (Impact.ADDED_IP, Impact.ADDED_URL, Impact.ADDED_IP_AND_URL, Impact.ADDED_SUBSTITUTE_URL)


@pytest.mark.parametrize(
    ("impact", "count"),
    [
        *((one, 4) for one in ADDED),
        (Impact.REMOVED_IP_OR_URL, 5),
        (Impact.CHANGED_IS_EXPRESS_ROUTE, 6),
        (Impact.MOVED_IP_OR_URL, 7),
        (Impact.REMOVED_DUPLICATE_IP_OR_URL, 8),
        (Impact.OTHER_NON_PRIORITY_CHANGES, 9),
    ],
)
def test_each_word_holds_those_that_ask_more(impact: Impact, count: int) -> None:
    """Additions are equals; each word after them adds itself to those before, in the order of the vocabulary."""
    assert at_least(impact) == tuple(Impact)[:count]
