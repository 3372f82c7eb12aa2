"""Query parameters: from text to typed values, strictly.

In: a request. Out: values, or BadParameterError naming the parameter. Called by `rest` and `pages`. A name nobody
knows, an empty value and a value given twice are errors: a filter that was meant and not heard would
answer with too much.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TypeVar

from starlette.datastructures import QueryParams

from catalog_service.catalog.compare import DiffFilter, impacts_asked
from catalog_service.catalog.select import Filter, Resolve
from catalog_service.catalog.sort import BY_ID, Sort, SortKey
from schema.errors import BadParameterError
from schema.words import Cloud, Direction, Family, Impact, Kind, Only

_ZONE_EATEN = re.compile(r"(T\S+) (\d\d:?\d\d)$")

Word = TypeVar("Word", bound=StrEnum)


def one(parameters: QueryParams, name: str) -> str | None:
    """Return the value of ``name``, None when it is not given. Raises BadParameterError."""
    values = parameters.getlist(name)
    if len(values) > 1:
        raise BadParameterError(f"{name} is given more than once", parameter=name)
    if values and not values[0].strip():
        raise BadParameterError(f"{name} is empty", parameter=name)
    return values[0].strip() if values else None


def many(parameters: QueryParams, name: str) -> tuple[str, ...]:
    """Return the values of ``name``, repeated or separated by commas: sorted, unique. Raises BadParameterError."""
    values = [part.strip() for value in parameters.getlist(name) for part in value.split(",")]
    if not all(values):
        raise BadParameterError(f"{name} has an empty value", parameter=name)
    return tuple(sorted(set(values)))


def filter_of(parameters: QueryParams) -> Filter:
    """Return the filter that ``parameters`` ask for. Raises BadParameterError."""
    return Filter(
        sources=many(parameters, "source"),
        services=many(parameters, "service"),
        tags=many(parameters, "tag"),
        clouds=words_of(parameters, "cloud", Cloud),
        regions=many(parameters, "region"),
        directions=words_of(parameters, "direction", Direction),
        kinds=words_of(parameters, "kind", Kind),
        scenarios=many(parameters, "scenario"),
        resolve=bool(words_of(parameters, "resolve", Resolve)),
    )


def diff_filter_of(parameters: QueryParams) -> DiffFilter:
    """Return the filter over changes that ``parameters`` ask for. Raises BadParameterError."""
    return DiffFilter(
        records=filter_of(parameters),
        family=word_of(parameters, "family", Family) or Family.BOTH,
        only=word_of(parameters, "only", Only),
        impacts=impacts_asked(words_of(parameters, "impact", Impact), word_of(parameters, "impact_at_least", Impact)),
        material=is_yes(parameters, "material"),
    )


def ends_of(span: str) -> tuple[str, str]:
    """Return both ends of ``{from}...{to}``, as `at` takes them. Raises BadParameterError."""
    since, dots, until = span.partition("...")
    if not (since and dots and until):
        raise BadParameterError("a diff is asked for as {from}...{to}, such as latest~1...latest", parameter="span")
    return since, until


def at_of(parameters: QueryParams) -> str | None:
    """Return the version spec ``at``, for `Reader.resolve`. Raises BadParameterError.

    A ``+02:00`` that was not percent-encoded arrives as a space and is read as it was meant.
    """
    text = one(parameters, "at")
    return _ZONE_EATEN.sub(r"\1+\2", text) if text else None


def sort_of(parameters: QueryParams) -> Sort:
    """Return the order that ``sort`` asks for. Raises BadParameterError."""
    text = one(parameters, "sort")
    if text is None:
        return BY_ID
    if (word := text.removeprefix("-").lower()) not in set(SortKey):
        message = f"{text!r} is nothing to sort by; there are {', '.join(SortKey)}, each with a - before it too"
        raise BadParameterError(message, parameter="sort", value=text, known=tuple(SortKey))
    return Sort(SortKey(word), text.startswith("-"))


def limit_of(parameters: QueryParams, *, default: int, most: int) -> int:
    """Return ``limit``, from 1 to ``most``. Raises BadParameterError."""
    return number_of(parameters, "limit", most) or default


def number_of(parameters: QueryParams, name: str, most: int) -> int | None:
    """Return the number ``name``, from 1 to ``most``; None when it is not given. Raises BadParameterError."""
    text = one(parameters, name)
    if text is not None and not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise BadParameterError(f"{name} is a number from 1 to {most}", parameter=name, value=text[:80], most=most)
    return int(text) if text else None


def is_yes(parameters: QueryParams, name: str) -> bool:
    """Return whether ``name`` is ``yes``; False when it is ``no`` or not given. Raises BadParameterError."""
    text = (one(parameters, name) or "no").lower()
    if text not in {"yes", "no"}:
        raise BadParameterError(f"{name} is yes or no", parameter=name, value=text[:80])
    return text == "yes"


def is_number(spec: str | None) -> bool:
    """Tell whether ``spec`` names one version for good."""
    return spec is not None and spec.isascii() and spec.isdigit()


def word_of(parameters: QueryParams, name: str, type_: type[Word]) -> Word | None:
    """Return the one word of ``type_`` that ``name`` is; None when it is not given. Raises BadParameterError."""
    one(parameters, name)
    values = words_of(parameters, name, type_)
    if len(values) > 1:
        raise BadParameterError(f"{name} takes one value", parameter=name)
    return values[0] if values else None


def words_of(parameters: QueryParams, name: str, type_: type[Word]) -> tuple[Word, ...]:
    """Return the values of ``name``, words of ``type_``, in its order. Raises BadParameterError."""
    values = many(parameters, name)
    for value in values:
        if value.lower() not in {word.value.lower() for word in type_}:
            message = f"{value!r} is not a {name}; there are {', '.join(type_)}"
            raise BadParameterError(message, parameter=name, value=value, known=tuple(type_))
    given = {value.lower() for value in values}
    return tuple(word for word in type_ if word.value.lower() in given)
