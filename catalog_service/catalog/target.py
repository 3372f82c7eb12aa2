"""What a person or a log line asks about: text becomes a block or a name.

In: an address, a CIDR block, a host name or a URL. Out: a `Target`, or BadParameterError that says what is wrong.
Called by `lookup`, `api.reads` and everything that asks "which endpoint sets hold this?".
"""

from __future__ import annotations

import re
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from urllib.parse import urlsplit

from msgspec import Struct

from schema.errors import BadParameterError
from schema.fqdn import canonical_fqdn
from schema.prefix import Block, parse_block

_MAX_QUERY_LENGTH = 300
_MAX_URL_LENGTH = 4096
_SHOWN = 80
_MAPPED = 0xFFFF
"""The upper bits of ``::ffff:0:0/96``, where IPv4 addresses are written as IPv6 (RFC 4291 2.5.5.2)."""
_NUMBER = re.compile(r"0x[0-9a-f]*|\d+")
"""A last label that makes browsers read a host as IPv4, ``0x7f.0x1`` (WHATWG URL 3.5): no name ends so."""

_WITH_PORT = re.compile(r"(?:([^:/\[\]]+)|\[([0-9a-fA-F:.]+)\]):\d{1,5}", re.ASCII)


class Target(Struct, frozen=True):
    """What to look up: a block (an address is one of full length) or a name."""

    text: str
    """Canonical: ``20.1.2.3``, ``20.1.0.0/16``, ``login.example.com``."""
    block: Block | None = None
    rewritten: bool = False
    """It is not the query as it stands: the host of a URL or before a port, or the IPv4 address in a mapped one."""

    @property
    def prefix(self) -> str:
        """The canonical CIDR of the block, for an address too; of a name, the name."""
        return self.text if "/" in self.text or self.block is None else f"{self.text}/{self.block.length}"


def read_target(query: str) -> Target:
    """Return what ``query`` asks about.

    | query                      | is                                                        |
    |----------------------------|-----------------------------------------------------------|
    | ``20.1.2.3``, ``2603::1``  | an address                                                |
    | ``::ffff:20.1.2.3``        | the IPv4 address 20.1.2.3; so are blocks of ``::ffff:0:0/96`` |
    | ``20.1.0.0/16``            | a block, host bits clear                                  |
    | ``a.example.com.``         | a host name, wildcards allowed                            |
    | ``https://a.example.com/`` | its host, whatever scheme, port and path                  |
    | ``20.1.2.3:443``           | its host: what logs write                                 |

    Raises:
        BadParameterError: none of these; or a URL with a user name or password in it.
    """
    text = query.strip()
    if "://" in text:
        target = _host(_url_host(text))
        return Target(target.text, target.block, rewritten=True)
    if not text or len(text) > _MAX_QUERY_LENGTH:
        raise _bad("an address, a CIDR block, a host name or a URL is needed", text)
    if with_port := _WITH_PORT.fullmatch(text):
        target = _host(with_port[1] or with_port[2])
        return Target(target.text, target.block, rewritten=True)
    return _host(text)


def is_address(block: Block) -> bool:
    """Tell whether ``block`` is a single address."""
    return block.first == block.last


def _written(block: Block) -> str:
    """Return ``block`` as canonical text, an address without a length."""
    family, size = (AF_INET, 4) if block.family == 4 else (AF_INET6, 16)
    address = inet_ntop(family, block.first.to_bytes(size))
    return address if is_address(block) else f"{address}/{block.length}"


def _host(text: str) -> Target:
    return _named(text) if _looks_like_name(text) else _addressed(text)


def _addressed(text: str) -> Target:
    block = _block(text)
    if block.family == 6 and block.first >> 32 == _MAPPED and block.length >= 96:
        low = 0xFFFF_FFFF
        block = Block(4, block.first & low, block.last & low, block.length - 96)
        return Target(_written(block), block, rewritten=True)
    return Target(_written(block), block)


def _block(text: str) -> Block:
    """Return the block; an address is read here, so that `parse_block` need not remember whatever is asked."""
    family, code, bits = (6, AF_INET6, 128) if ":" in text else (4, AF_INET, 32)
    try:
        address = int.from_bytes(inet_pton(code, text))
    except (OSError, ValueError):
        try:
            return parse_block(text)
        except ValueError as error:
            raise _bad(f"{error}", text) from None
    return Block(family, address, address, bits)


def _named(text: str) -> Target:
    try:
        name = canonical_fqdn(text)
    except ValueError:
        raise _bad(f"{text[:_SHOWN]!r} is not an address, a CIDR block, a host name or a URL", text) from None
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise _bad(f"{text[:_SHOWN]!r} is a number, not a host name: write an address as 20.1.2.3", text)
    return Target(name)


def _url_host(text: str) -> str:
    """Return the host of a URL, a literal IPv6 address without its brackets."""
    if len(text) > _MAX_URL_LENGTH or any(letter.isspace() or not letter.isprintable() for letter in text):
        raise _bad("a URL has no spaces and at most 4,096 characters", text)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _bad(f"{text[:_SHOWN]!r} is not a URL", text) from None
    if "@" in parts.netloc:
        raise BadParameterError("a URL with a user name or password in it is not looked up", parameter="q")
    if not host or not parts.scheme or ("[" in parts.netloc) != (":" in host):
        raise _bad(f"{text[:_SHOWN]!r} is a URL without a host", text)
    return host


def _looks_like_name(text: str) -> bool:
    """Tell a name from an address: a name's last label has a letter and there is no colon or slash."""
    return (
        ":" not in text and "/" not in text and any(letter.isalpha() for letter in text.rstrip(".").rsplit(".", 1)[-1])
    )


def _bad(message: str, text: str) -> BadParameterError:
    return BadParameterError(message, parameter="q", value=text[:_SHOWN])
