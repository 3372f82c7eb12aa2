"""A diff that is judged once answers every question as one that is judged for that question alone."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_service.catalog.compare import DiffFilter, asked, compare
from catalog_service.catalog.diff import diff
from catalog_service.catalog.judged import judged
from catalog_service.catalog.select import Filter
from schema.endpoint_set import EndpointSet
from schema.errors import CorruptContentError
from schema.words import Cloud, Direction, Family, Impact, Kind, Only
from tests.records import SOURCE, contents, record

Content = tuple[EndpointSet, ...]
Question = tuple[DiffFilter, bool]
OTHER = "azure-service-tags-public"


def some(words: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(words), max_size=2, unique=True).map(tuple)


def both_of(rows: Content, tags: Content) -> Content:
    """Return ``rows``, some of which refer to a tag, and ``tags`` as service tags."""
    referring = (replace(one, service_tags=("a",)) if one.required else one for one in rows)
    return (*(replace(one, id=one.id.replace(SOURCE, OTHER), source=OTHER) for one in tags), *referring)


two_sources = st.builds(both_of, contents, contents)
filters = st.builds(
    DiffFilter,
    records=st.builds(
        Filter,
        sources=some([SOURCE, OTHER.upper(), "nobody"]),
        services=some(["storage", "a", "b"]),
        tags=some(["A", "b", "Storage"]),
        clouds=some(list(Cloud)),
        regions=some(["westeurope", "East US"]),
        directions=some(list(Direction)),
        kinds=some(list(Kind)),
    ),
    family=st.sampled_from(Family),
    only=st.sampled_from([None, *Only]),
    impacts=some(list(Impact)),
    material=st.booleans(),
)
questions = st.lists(st.tuples(filters, st.booleans()), min_size=1, max_size=4)


@given(two_sources, two_sources, questions, st.randoms(use_true_random=False))
def test_one_judgement_answers_every_question_in_any_order(
    before: Content, after: Content, several: list[Question], chance: Random
) -> None:
    """What was asked before changes no answer, nor does what is asked with it."""
    changes, now = diff(before, after), {one.id: one for one in after}
    alone = [compare(changes, now, wanted, space=space) for wanted, space in several]
    shuffled = list(enumerate(several))
    chance.shuffle(shuffled)
    found = judged(changes, now)
    for number, (wanted, space) in shuffled:
        assert asked(found, wanted, space=space) == alone[number]


def test_what_does_not_belong_together_is_not_judged() -> None:
    """A change of a record that is not there is refused before anything is asked."""
    changes = diff((record("k"),), (record("k", prefixes=("20.0.0.0/24",)),))
    with pytest.raises(CorruptContentError):
        judged(changes, {})
