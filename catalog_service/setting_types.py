"""Types of settings: what a value has to be, with an error that says what is needed.

Each is a pydantic type; values may be secrets, so no message repeats one. Used by `settings` alone.
"""

from __future__ import annotations

import base64
import os
import re
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

_TOKEN_LEAST = 16
_KEY_BYTES = 32
_SHAPES = {"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"}
_ORIGIN = re.compile(r"https?://[a-z0-9.\-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?")
_HOST_PATTERN = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.\-]*[a-z0-9])?|\[[0-9a-f:]+\]")


def _redis_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _SHAPES or not (parts.netloc.rpartition("@")[2] or parts.path):
        raise ValueError(
            "a Redis address is needed: redis://host:6379/0, rediss://..., unix:///path, "
            "redis+sentinel://host:26379,host:26379/name or redis+cluster://host:6379,host:6379"
        )
    if parts.scheme.endswith("+sentinel") and not parts.path.strip("/"):
        raise ValueError("the name of the primary is needed: redis+sentinel://host:26379,host:26379/name")
    if parts.scheme.endswith("+cluster") and parts.path.strip("/0"):
        raise ValueError("a Cluster has no databases: redis+cluster://host:6379,host:6379")
    return url


def _token(token: str) -> str:
    if token and (len(token) < _TOKEN_LEAST or not token.isascii() or not token.isprintable() or " " in token):
        raise ValueError(f"at least {_TOKEN_LEAST} printable ASCII characters are needed, no space")
    return token


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an http or https address is needed")
    return url


def _smtp_url(url: str) -> str:
    parts = urlsplit(url)
    try:
        fits = parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0
    except ValueError:  # the port is none
        fits = False
    if not fits:
        raise ValueError("a mail server's address is needed: smtp://host:587 or smtps://host")
    return url


def _mail_from(sender: str) -> str:
    try:
        fits = not sender or (sender.isprintable() and Address(addr_spec=parseaddr(sender)[1]).domain)
    except (ValueError, IndexError, MessageError):  # what the standard library raises for one that is none
        fits = False
    if not fits:
        raise ValueError("an e-mail address is needed: ops@contoso.example, or Name <ops@contoso.example>")
    return sender


def _key(keys: str) -> str:
    for key in filter(None, keys.split(",")):
        try:
            decoded = base64.b64decode(key.strip(), validate=True)
        except ValueError:
            decoded = b""
        if len(decoded) != _KEY_BYTES:
            raise ValueError(f"{_KEY_BYTES} random bytes in Base64 are needed: openssl rand -base64 {_KEY_BYTES}")
    return keys


def _listed(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _network(network: str) -> str:
    return str(ip_network(network))


def _origin(origin: str) -> str:
    if origin != "*" and not _ORIGIN.fullmatch(origin.lower()):
        raise ValueError("an origin is needed: https://tools.contoso.example, or * for every one")
    return origin.lower()


def _host_pattern(host: str) -> str:
    if not _HOST_PATTERN.fullmatch(host.lower()):
        raise ValueError("a host name is needed, without a port: catalog.contoso.example or *.contoso.example")
    return host.lower()


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("there is no such file")
    return _absolute(path)


def _mirror(mirror: str) -> str:
    return _http_url(mirror) if "://" in mirror else str(_absolute(Path(mirror)))


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def default_data_dir() -> Path:
    """Return where data is kept where nothing is said."""
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path("~/.local/share").expanduser()) / "catalog-service"


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Network = Annotated[str, AfterValidator(_network)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
Token = Annotated[str, AfterValidator(_token)]
Keys = Annotated[str, AfterValidator(_key)]
SmtpUrl = Annotated[str, AfterValidator(_smtp_url)]
MailFrom = Annotated[str, AfterValidator(_mail_from)]
Mirror = Annotated[str, BeforeValidator(_as_text), AfterValidator(_mirror)]
Folder = Annotated[Path, AfterValidator(_absolute)]
File = Annotated[Path, AfterValidator(_readable)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_listed)]
Ports = Annotated[tuple[Port, ...], NoDecode, BeforeValidator(_listed)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_listed)]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host_pattern)], ...], NoDecode, BeforeValidator(_listed)]
