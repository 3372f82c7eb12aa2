"""Query parameters: from text to typed values, strictly.

In: a request. Out: values, or BadParameterError naming the parameter. Called by `rest`. A name nobody
knows, an empty value and a value given twice are errors: a filter that was meant and not heard would
answer with too much.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TypeVar

from starlette.datastructures import QueryParams

from catalog_service.catalog.select import Filter, Resolve
from catalog_service.catalog.sort import BY_ID, Sort, SortKey
from schema.errors import BadParameterError
from schema.words import Cloud, Direction, Kind

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
        clouds=words_of(parameters, "cloud", Cloud),
        regions=many(parameters, "region"),
        directions=words_of(parameters, "direction", Direction),
        kinds=words_of(parameters, "kind", Kind),
        scenarios=many(parameters, "scenario"),
        resolve=bool(words_of(parameters, "resolve", Resolve)),
    )


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
    text = one(parameters, "limit")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise BadParameterError(f"limit is a number from 1 to {most}", parameter="limit", value=text[:80], most=most)
    return int(text)


def is_yes(parameters: QueryParams, name: str) -> bool:
    """Return whether ``name`` is ``yes``; False when it is ``no`` or not given. Raises BadParameterError."""
    text = (one(parameters, name) or "no").lower()
    if text not in {"yes", "no"}:
        raise BadParameterError(f"{name} is yes or no", parameter=name, value=text[:80])
    return text == "yes"


def is_number(spec: str | None) -> bool:
    """Tell whether ``spec`` names one version for good."""
    return spec is not None and spec.isascii() and spec.isdigit()


def words_of(parameters: QueryParams, name: str, type_: type[Word]) -> tuple[Word, ...]:
    """Return the values of ``name``, words of ``type_``, in its order. Raises BadParameterError."""
    values = many(parameters, name)
    for value in values:
        if value.lower() not in {word.value.lower() for word in type_}:
            message = f"{value!r} is not a {name}; there are {', '.join(type_)}"
            raise BadParameterError(message, parameter=name, value=value, known=tuple(type_))
    given = {value.lower() for value in values}
    return tuple(word for word in type_ if word.value.lower() in given)
