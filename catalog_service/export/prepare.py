"""From the records chosen to what a format can hold: every member that is left out is counted.

In: a view (`choose.chosen`), the kinds asked for, a format and options. Out: the `Content` its renderer is given.
Called by `formats`.
"""

from __future__ import annotations

import re
from socket import AF_INET, AF_INET6, inet_ntop

from catalog_service.catalog.select import Allowlist, allowlist
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.space import Span, as_prefixes, covered
from catalog_service.catalog.view import View
from catalog_service.export.choose import hint_of
from catalog_service.export.format import Content, Cut, Dropped, DropReason, Format
from catalog_service.export.limits import fitted
from catalog_service.export.options import DEFAULT_NAME, Options, Ranges, check_options
from schema.errors import CorruptContentError, NoMatchError
from schema.words import Kind

_EITHER = (Kind.PREFIX, Kind.FQDN)
_INERT = re.compile(r"[0-9A-Za-z.:/*_\n-]*")


def prepared(format_: Format, snapshot: Snapshot, view: View, kinds: tuple[Kind, ...], options: Options) -> Content:
    """Return what ``format_`` is to hold of ``view``; ``kinds`` says which members (none: prefixes and names).

    Raises:
        BadParameterError: an option that the format has no use for, or there is no such part.
        NoMatchError: there is no member to list, or none that the format can hold.
        OverLimitError: more entries than the limit, and nobody said what to do about it.
    """
    check_options(format_, options)
    check_members(snapshot, view, kinds)
    asked = tuple(kind for kind in _EITHER if kind in (kinds or _EITHER))
    listed = _of_family(allowlist(view.records, asked), options)
    _check_inert(listed)
    held, dropped = _held(format_, view, listed, asked)
    if not (held.prefixes or held.fqdns):
        raise _holds_nothing(format_, snapshot, options, dropped)
    fit = fitted(format_, _shaped(held, options), options, lambda: _shaped(held, options, aggregate=True))
    return Content(
        snapshot,
        view,
        fit.listed,
        Cut(len(fit.listed.prefixes) + len(fit.listed.fqdns), dropped, fit.truncated, fit.part, fit.parts),
        f"{options.name or DEFAULT_NAME}{f'_{fit.part}' if fit.part else ''}",
        tuple(number for number in options.family.numbers if number in format_.families),
        tuple(kind for kind in asked if kind in format_.kinds),
        options.aggregate or fit.aggregated,
    )


def check_members(snapshot: Snapshot, view: View, kinds: tuple[Kind, ...]) -> None:
    """Raise NoMatchError where ``view`` has no member of ``kinds`` (none: prefixes and names) to list."""
    listed = set(_EITHER).intersection(kinds or Kind)
    if not any(listed.intersection(record.kinds) for record in view.records):
        message = f"the endpoint sets chosen hold no {' or '.join(kinds) or 'member'} to list"
        if view.missing:
            message += f", and nothing is read yet of {', '.join(view.missing)}"
        raise NoMatchError(message + hint_of(view), version=snapshot.version, missing=view.missing or None)


def _of_family(listed: Allowlist, options: Options) -> Allowlist:
    wanted = options.family.numbers
    return Allowlist(tuple(one for one in listed.prefixes if _family(one) in wanted), listed.fqdns)


def _check_inert(listed: Allowlist) -> None:
    """Raise CorruptContentError for a member that could end a line or a quote.

    Records refuse such text when they are made (`schema.endpoint_set`); a file that a firewall loads does not rely
    on it.
    """
    members = (*listed.prefixes, *listed.fqdns)
    text = "\n".join(members)
    if not _INERT.fullmatch(text) or text.count("\n") != len(members) - bool(members):
        raise CorruptContentError("a member of the allowlist is neither a prefix nor a host name")


def _held(
    format_: Format, view: View, listed: Allowlist, asked: tuple[Kind, ...]
) -> tuple[Allowlist, tuple[Dropped, ...]]:
    """Return what ``format_`` can hold of ``listed``, and what it cannot by reason."""
    lost: dict[DropReason, int] = {}
    prefixes, fqdns = listed.prefixes, listed.fqdns
    if Kind.PREFIX not in format_.kinds:
        lost[DropReason.PREFIX], prefixes = len(prefixes), ()
    for family, reason in ((4, DropReason.IPV4), (6, DropReason.IPV6)):
        if family not in format_.families:
            kept = tuple(one for one in prefixes if _family(one) != family)
            lost[reason], prefixes = len(prefixes) - len(kept), kept
    if Kind.FQDN not in format_.kinds:
        lost[DropReason.FQDN], fqdns = len(fqdns), ()
    written = tuple(filter(format_.wildcards.take, fqdns))
    lost[DropReason.WILDCARD] = len(fqdns) - len(written)
    if Kind.FQDN in asked:
        lost[DropReason.PATTERN] = len({pattern for record in view.records for pattern in record.patterns})
    return Allowlist(prefixes, written), tuple(
        Dropped(reason, lost[reason]) for reason in DropReason if lost.get(reason)
    )


def _holds_nothing(format_: Format, snapshot: Snapshot, options: Options, dropped: tuple[Dropped, ...]) -> NoMatchError:
    if dropped:
        counts = ", ".join(f"{one.reason}={one.count}" for one in dropped)
        message = f"{format_.name} can hold nothing of this list ({counts})"
        return NoMatchError(message, parameter="format", value=format_.name, version=snapshot.version)
    message = f"the endpoint sets chosen hold no IPv{options.family} prefix to list"
    return NoMatchError(message, parameter="family", value=options.family, version=snapshot.version)


def _shaped(listed: Allowlist, options: Options, *, aggregate: bool = False) -> Allowlist:
    """Return ``listed`` with its addresses written as asked: always the same addresses."""
    if options.ranges is Ranges.RANGE:
        return Allowlist(tuple(map(_range, covered(listed.prefixes))), listed.fqdns)
    if aggregate or options.aggregate:
        return Allowlist(as_prefixes(covered(listed.prefixes)), listed.fqdns)
    return listed


def _range(span: Span) -> str:
    family, first, last = span
    code, size = (AF_INET, 4) if family == 4 else (AF_INET6, 16)
    start = inet_ntop(code, first.to_bytes(size))
    return start if first == last else f"{start}-{inet_ntop(code, last.to_bytes(size))}"


def _family(prefix: str) -> int:
    return 6 if ":" in prefix else 4
