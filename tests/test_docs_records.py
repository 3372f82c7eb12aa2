"""Ids of records: slugs, and what happens when two rows would have one id."""

from __future__ import annotations

from itertools import permutations

import pytest

from schema.endpoint_set import EndpointSet, endpoint_set
from schema.words import EVERY_CLOUD, US_GOVERNMENT, Cloud
from scrapers.docs.records import cloud_slug, distinct, slug


def record(
    key: str,
    fqdns: tuple[str, ...] = ("a.example.com",),
    protocols: tuple[str, ...] = ("https",),
    purpose: str = "Uses",
    heading: str = "One",
) -> EndpointSet:
    return endpoint_set(
        "s", key, service="S", title="T", fqdns=fqdns, protocols=protocols, purpose=purpose, heading=(heading,)
    )


@pytest.mark.parametrize(
    ("text", "slugged"),
    [
        ("United States Government (GCC)", "united-states-government-gcc"),
        ("Desktop flows fail through our proxy server", "desktop-flows-fail-through-our-proxy-server"),
        ("アジア太平洋", "アジア太平洋"),
        (" *** ", "section"),
        ("x" * 100, "x" * 80),
    ],
)
def test_slugs_hold_letters_and_digits(text: str, slugged: str) -> None:
    """A slug never holds what an id must not."""
    assert slug(text) == slugged


def test_slugs_of_clouds_name_groups_shortly() -> None:
    """Every cloud and the whole US Government have a word of their own."""
    assert cloud_slug(EVERY_CLOUD) == "all"
    assert cloud_slug(US_GOVERNMENT) == "usgov-all"
    assert cloud_slug((Cloud.PUBLIC, Cloud.USGOV)) == "public+usgov"
    assert cloud_slug((Cloud.CHINA,)) == "china"


def test_equal_rows_collapse_to_one() -> None:
    """The same row twice is one record, under the first heading."""
    assert distinct([record("k"), record("k", heading="Two")]) == (record("k"),)


@pytest.mark.parametrize(
    ("others", "ids"),
    [
        ((record("k"), record("k", protocols=("http",))), ("s:k:http", "s:k:https")),
        ((record("k"), record("k", purpose="Other uses")), ("s:k:other-uses", "s:k:uses")),
        (
            (record("k", protocols=("http",)), record("k"), record("k", purpose="More")),
            ("s:k:http", "s:k:https:more", "s:k:https:uses"),
        ),
    ],
)
def test_rows_with_one_id_are_told_apart_by_content(others: tuple[EndpointSet, ...], ids: tuple[str, ...]) -> None:
    """Protocols, then purpose, part ids; the order of rows does not matter."""
    for order in permutations(others):
        assert tuple(found.id for found in distinct([*order, record("z")])) == (*ids, "s:z")


def test_rows_that_differ_in_members_alone_are_told_apart() -> None:
    """The last resort is a digest of the content."""
    one, two = record("k"), record("k", fqdns=("a.example.com", "b.example.com"))
    forward, backward = distinct([one, two]), distinct([two, one])
    assert forward == backward
    assert len({found.id for found in forward}) == 2
    assert all(found.id.startswith("s:k:") for found in forward)
