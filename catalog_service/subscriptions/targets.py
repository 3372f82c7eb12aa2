"""Which addresses may be told: the rules that need no network (limits-and-faults.md A8, C3).

In: what a person or a name server wrote, and the operator's policy. Out: the same, or why not. The desk asks when
a subscription is made; `notify.guard` asks again about every address that is about to be connected to, which is
what holds: a name says nothing about where it leads.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NoReturn

from msgspec import Struct

from schema.errors import BadParameterError, RefusedTargetError

_MAX_CHARS = 2_000
_MAX_MAILBOXES = 20

_URL_CHARS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")  # RFC 3986, sections 2.2 and 2.3
_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}\.?\Z){_LABEL}(?:\.{_LABEL})*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL_PART = r"[A-Za-z0-9_+=~!'-]+(?:\.[A-Za-z0-9_+=~!'-]+)*"
_MAILBOX = re.compile(rf"(?=.{{1,254}}\Z)(?=[^@]{{1,64}}@){_LOCAL_PART}@((?i:{_LABEL}(?:\.{_LABEL})+))")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, section 5.6.2
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?")
_CONNECTION_HEADERS = re.compile(
    r"accept-encoding|connection|content-length|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade",
    re.IGNORECASE,
)

# Special purposes (the IANA registries), and what clouds answer on. A table of our own, because Python's `is_global`
# differs between patch releases, calls Azure's 168.63.129.16 global and looks into some IPv6 forms but not all.
# Every form that holds an IPv4 address is refused as a form: nobody needs it to name a public host.
_SPECIAL = tuple(
    (ip_network(network), what)
    for network, what in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a shared (CGNAT) address"),
        ("127.0.0.0/8", "a loopback address"),
        ("168.63.129.16/32", "Azure's platform address"),
        ("169.254.0.0/16", "a link-local or metadata address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a 6to4 relay's address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved or broadcast address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("::/96", "an IPv4-compatible address"),
        ("::ffff:0:0/96", "an IPv4-mapped address"),
        ("64:ff9b::/96", "a NAT64 address"),
        ("64:ff9b:1::/48", "a NAT64 address"),
        ("2001::/32", "a Teredo address"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "a documentation address"),
        ("2002::/16", "a 6to4 address"),
        ("3fff::/20", "a documentation address"),
        ("fc00::/7", "a private (unique local) address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")


class Policy(Struct, frozen=True):
    """What the operator allows."""

    http: bool = False
    """Whether http addresses may be told, at port 80 and at ``ports``."""
    ports: tuple[int, ...] = (443, 8443)
    networks: tuple[str, ...] = ()
    """CIDR blocks beyond the public Internet that may be told."""

    @property
    def allowed_ports(self) -> tuple[int, ...]:
        """Every port that may be connected to."""
        return (*self.ports, 80) if self.http else self.ports


def check_url(url: str, policy: Policy) -> str:
    """Return ``url`` with scheme and host in lower case and at least ``/`` as its path; the rest is untouched.

    A host whose last label is a number must be an IPv4 address in four decimal parts, as in the WHATWG URL
    standard: C libraries read ``2130706433``, ``0x7f.1`` and ``0177.0.0.1`` as addresses too.

    Raises:
        RefusedTargetError: not https, user-info, a fragment, an odd port or host form, an address that may not be
            told, over 2,000 characters. The message shows host and port at most: paths and queries hold secrets.
    """
    if len(url) > _MAX_CHARS or not _URL_CHARS.fullmatch(url):
        _refuse(f"an address has at most {_MAX_CHARS:,} ASCII characters, others percent-encoded (xn-- in a host)")
    match = _URL.match(url)
    if not match or (match[1].lower() == "http" and not policy.http):
        both = "an http or https address is needed"
        _refuse(both if policy.http else "an https address is needed; CATALOG_WEBHOOK_HTTP allows http")
    if match.end() < len(url):
        _refuse("the address has a fragment (#), which would never be sent")
    scheme, authority, rest = match[1].lower(), match[2].lower(), match[3]
    host, port = _host_and_port(authority, 443 if scheme == "https" else 80)
    if port not in policy.allowed_ports:
        allowed = ", ".join(map(str, policy.allowed_ports))
        _refuse(f"the port of {authority} may not be told, only {allowed} (CATALOG_WEBHOOK_PORTS)")
    _check_host(host, policy)
    return f"{scheme}://{authority}{rest if rest.startswith('/') else '/' + rest}"


def refusal(address: str, policy: Policy) -> str | None:
    """Return what an IP address is that may not be told, such as ``a private address``; None: it may be told."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "no IP address"
    inner = (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
    if any(inner in network for network in _networks(policy.networks)):
        return None
    if isinstance(ip, IPv6Address) and ip.scope_id:
        return "an address with a zone"
    for network, what in _SPECIAL:
        if ip in network:
            return what
    is_public = ip.is_global and (ip.version == 4 or ip in _GLOBAL_UNICAST)
    return None if is_public else "no public address"


def check_mail(url: str) -> tuple[str, ...]:
    """Return the 1 to 20 addresses of ``mailto:a@x.example,b@y.example``, in order, each once.

    Raises:
        RefusedTargetError: another form, such as one with a query, names, quotes, percent signs or line ends.
    """
    scheme, _, listed = url.partition(":")
    mailboxes = tuple(dict.fromkeys(listed.split(",")))
    if scheme != "mailto" or len(url) > _MAX_CHARS or not 1 <= len(mailboxes) <= _MAX_MAILBOXES:
        _refuse(f"mailto: and 1 to {_MAX_MAILBOXES} addresses are needed, separated by commas")
    for number, mailbox in enumerate(mailboxes, start=1):
        match = _MAILBOX.fullmatch(mailbox)
        if not match or _NUMBER.fullmatch(match[1].rpartition(".")[2].lower()):
            _refuse(f"address {number} of mailto: is not a plain one such as ops@contoso.example")
    return mailboxes


def check_headers(headers: tuple[tuple[str, str], ...]) -> None:
    """Refuse headers that could end early, become another header, or say how a message is carried.

    Raises:
        BadParameterError: naming the header, never its value.
    """
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise BadParameterError(f"header {name[:100]!r} is not printable ASCII in one line", parameter="headers")
        if _CONNECTION_HEADERS.fullmatch(name):
            raise BadParameterError(f"header {name!r} belongs to the connection", parameter="headers")


def _host_and_port(authority: str, usual: int) -> tuple[str, int]:
    if "@" in authority:
        _refuse("the address has a user name or password: use a header")
    match = _AUTHORITY.fullmatch(authority)
    if not match:
        _refuse("the address has no host and port that can be read")
    return match[1], int(match[2] or usual)


def _check_host(host: str, policy: Policy) -> None:
    if host.startswith("["):
        if not re.fullmatch(r"\[[0-9a-f:.]*:[0-9a-f:.]*\]", host):
            _refuse(f"{host} is not an IPv6 address in brackets, without a zone")
        _check_address(host[1:-1], policy)
    elif _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        _check_address(host, policy)
    elif not _NAME.fullmatch(host):
        _refuse(f"{host[:100]!r} is not a host name")
    elif host.rstrip(".").rpartition(".")[2] == "localhost":  # RFC 6761: any name below it is the machine itself
        _check_address("127.0.0.1", policy)


def _check_address(address: str, policy: Policy) -> None:
    if why := refusal(address, policy):
        _refuse(f"{address[:100]} may not be told: it is {why}")


@lru_cache(maxsize=16)
def _networks(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, networks))


def _refuse(reason: str) -> NoReturn:
    raise RefusedTargetError(reason, parameter="url")
