"""Files read back the way their consumer reads them: strictly, one parser a format, and with nothing of the renderers.

In: the bytes of a file. Out: its entries as catalogue text, in the order of the file. A line that the device would not
take is a ValueError. Prefixes may be ``first-last`` ranges, where the device takes them.
"""

from __future__ import annotations

import csv
import io
import ipaddress
import json
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"(?:[a-z0-9_*-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")
_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
PANOS_MOST_CHARACTERS = 255
IPSET_NAME_MOST, ASA_NAME_MOST = 31, 64


class Read(NamedTuple):
    """What a file says."""

    prefixes: tuple[str, ...] = ()
    fqdns: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """What its lists are called, in the order of the file."""


def read(format_: str, data: bytes) -> Read:
    """Return what ``data`` says in ``format_``. Raises ValueError."""
    return PARSERS[format_](data.decode("ascii"))


def addresses(entries: Iterable[str]) -> tuple[Network, ...]:
    """Return the addresses of ``entries``, blocks or ranges, as the fewest blocks, v4 then v6."""
    blocks = [block for entry in entries for block in _blocks(entry)]
    four = ipaddress.collapse_addresses(one for one in blocks if isinstance(one, ipaddress.IPv4Network))
    six = ipaddress.collapse_addresses(one for one in blocks if isinstance(one, ipaddress.IPv6Network))
    return (*four, *six)


def _blocks(entry: str) -> Iterable[Network]:
    first, dash, last = entry.partition("-")
    if not dash:
        return (ipaddress.ip_network(entry),)
    return tuple(ipaddress.summarize_address_range(ipaddress.ip_address(first), ipaddress.ip_address(last)))


def _entry(text: str) -> str:
    """Return a block or range that is written as its own canonical text."""
    first, dash, last = text.partition("-")
    if dash:
        low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
        if low.version != high.version or int(low) >= int(high) or f"{low}-{high}" != text:
            raise ValueError(f"{text!r} is no range")
    elif text not in (str(ipaddress.ip_network(text)), str(ipaddress.ip_network(text).network_address)):
        raise ValueError(f"{text!r} is not canonical")
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"{text!r} is no host name")
    return text


def _lines(text: str) -> list[str]:
    """Return the lines of ``text``, each ended by LF and none blank or padded."""
    lines = text.split("\n")
    if lines.pop() or any(not line or line != line.strip() or "\r" in line for line in lines):
        raise ValueError("a line is blank, padded or not ended")
    return lines


def _text(text: str) -> Read:
    lines = _lines(text)
    names = tuple(filter(_HOST.fullmatch, lines))
    prefixes = tuple(map(_entry, lines[: len(lines) - len(names)]))
    if (*prefixes, *names) != tuple(lines):
        raise ValueError("a name among the prefixes")
    return Read(prefixes, names)


def _csv(text: str) -> Read:
    rows = list(csv.DictReader(io.StringIO(text), strict=True))
    if any(not row["ids"] or row["kind"] not in {"prefix", "fqdn"} for row in rows):
        raise ValueError("a row without a record or a kind")
    return Read(
        tuple(_entry(row["member"]) for row in rows if row["kind"] == "prefix"),
        tuple(_host(row["member"]) for row in rows if row["kind"] == "fqdn"),
    )


def _json(text: str) -> Read:
    found = json.loads(text)
    return Read(tuple(map(_entry, found["prefixes"])), tuple(map(_host, found["fqdns"])))


def _ndjson(text: str) -> Read:
    rows = [json.loads(line) for line in _lines(text)]
    if len({(row["member"], row["id"]) for row in rows}) != len(rows):
        raise ValueError("a member of a record twice")
    return Read(
        tuple(dict.fromkeys(_entry(row["member"]) for row in rows if row["kind"] == "prefix")),
        tuple(dict.fromkeys(_host(row["member"]) for row in rows if row["kind"] == "fqdn")),
    )


def _addresses_alone(text: str) -> Read:
    return Read(tuple(map(_entry, _lines(text))))


def _panos_url(text: str) -> Read:
    lines = _lines(text)
    for line in lines:
        tokens = re.split(r"[./?&=;+]", line)
        if not line.endswith("/") or len(line) > PANOS_MOST_CHARACTERS or "://" in line:
            raise ValueError(f"{line!r} has no end, or is too long")
        if any("*" in token and token != "*" for token in tokens):
            raise ValueError(f"{line!r}: a wildcard is a whole token")
    return Read((), tuple(_host(line[:-1]) for line in lines))


def _fortigate_fqdn(text: str) -> Read:
    lines = _lines(text)
    if any("*" in line.removeprefix("*.") for line in lines):
        raise ValueError("a wildcard past the first label")
    return Read((), tuple(map(_host, lines)))


_NFT = re.compile(
    rf"add set inet catalog (?P<name>{_NAME}) \{{ type ipv(?P<family>[46])_addr; flags interval; auto-merge; \}}\n"
    r"flush set inet catalog (?P=name)\n"
    r"(?:add element inet catalog (?P=name) \{\n(?P<elements>(?:\t[0-9a-f:./-]+,\n)+)\}\n)?"
)


def _nftables(text: str) -> Read:
    head, _, rest = text.partition("\n")
    sets = list(_NFT.finditer(rest))
    if head != "add table inet catalog" or "".join(one[0] for one in sets) != rest:
        raise ValueError("a command that is none of ours")
    entries = []
    for one in sets:
        for element in (one["elements"] or "").split():
            entries.append(_entry(element.removesuffix(",")))
            if (":" in element) != (one["family"] == "6"):
                raise ValueError(f"{element} is of the other family")
    return Read(tuple(entries), (), tuple(one["name"] for one in sets))


def _ipset(text: str) -> Read:
    """Play the commands on sets that begin as a stale one would be, and return what is in force at the end."""
    sets: dict[str, list[str]] = {}
    families: dict[str, str] = {}
    for line in _lines(text):
        match line.split(" "):
            case ["create", name, "hash:net", "family", ("inet" | "inet6") as family, "maxelem", "1048576", "-exist"]:
                if len(name) > IPSET_NAME_MOST:
                    raise ValueError(f"{name} is too long")
                sets.setdefault(name, ["stale"])
                families[name] = family
            case ["flush", name]:
                sets[name] = []
            case ["add", name, prefix] if (":" in prefix) == (families[name] == "inet6") and not prefix.endswith("/0"):
                sets[name].append(_entry(prefix))
            case ["swap", one, other]:
                sets[one], sets[other] = sets[other], sets[one]
            case ["destroy", name]:
                del sets[name]
            case _:
                raise ValueError(f"{line!r} is no command")
    return Read(tuple(prefix for prefixes in sets.values() for prefix in prefixes), (), tuple(sets))


def _cisco_asa(text: str) -> Read:
    head, *lines = text.removesuffix("\n").split("\n")
    name = re.fullmatch(rf"object-group network ({_NAME})", head)
    if not name or len(name[1]) > ASA_NAME_MOST:
        raise ValueError(f"{head!r} begins no group")
    return Read(tuple(map(_network_object, lines)), (), (name[1],))


def _network_object(line: str) -> str:
    match line.split(" "):
        case ["", "network-object", "host", address]:
            return str(ipaddress.ip_network(address))
        case ["", "network-object", address, mask] if ":" not in address:
            return str(ipaddress.ip_network(f"{address}/{mask}"))
        case ["", "network-object", prefix] if ":" in prefix:
            return _entry(prefix)
    raise ValueError(f"{line!r} is no member of a group")


def _tfvars(text: str) -> Read:
    found: dict[str, list[str]] = json.loads(text)
    read_ = {key.rpartition("_")[2]: tuple(values) for key, values in found.items()}
    if any(":" in one for one in read_.get("ipv4", ())) or any(":" not in one for one in read_.get("ipv6", ())):
        raise ValueError("a prefix under the other family's name")
    prefixes = (*read_.get("ipv4", ()), *read_.get("ipv6", ()))
    return Read(tuple(map(_entry, prefixes)), tuple(map(_host, read_.get("fqdns", ()))), tuple(found))


PARSERS: dict[str, Callable[[str], Read]] = {
    "txt": _text,
    "csv": _csv,
    "json": _json,
    "ndjson": _ndjson,
    "panos-ip": _addresses_alone,
    "panos-url": _panos_url,
    "fortigate-ip": _addresses_alone,
    "fortigate-fqdn": _fortigate_fqdn,
    "nftables": _nftables,
    "ipset": _ipset,
    "cisco-asa": _cisco_asa,
    "tfvars": _tfvars,
}
