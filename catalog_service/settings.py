"""Settings: flags over ``CATALOG_*`` environment variables over a TOML file over defaults.

In: the flags given, and the TOML file's path. Out: a frozen `Settings`, or an error that names the
setting and where its value came from. Read once a process, by the composition root.
"""

from __future__ import annotations

import base64
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError

from schema.errors import BadParameterError

PREFIX = "CATALOG_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
_TOKEN_LEAST = 16
_KEY_BYTES = 32


def _redis_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"} or not (parts.hostname or parts.path):
        raise ValueError("a Redis address is needed: redis://host:6379/0, rediss://... or unix:///path")
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


def _mirror(mirror: str) -> str:
    return _http_url(mirror) if "://" in mirror else str(_absolute(Path(mirror)))


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _default_data_dir() -> Path:
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path("~/.local/share").expanduser()) / "catalog-service"


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Network = Annotated[str, AfterValidator(_network)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(BaseSettings):
    """Every setting. The environment variable of ``data_dir`` is ``CATALOG_DATA_DIR``, its TOML key ``data_dir``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    redis_url: Annotated[str, AfterValidator(_redis_url)] | None = Field(
        None, repr=False, description="A Redis to use; without one the embedded server of the data directory serves."
    )
    data_dir: Annotated[Path, AfterValidator(_absolute)] = Field(
        default_factory=_default_data_dir,
        description="Where the embedded server keeps its data; by default $XDG_DATA_HOME/catalog-service, "
        "or ~/.local/share/catalog-service.",
    )
    mirror: Annotated[str, BeforeValidator(_as_text), AfterValidator(_mirror)] | None = Field(
        None, description="A folder or an http(s) address with copies of the sources (host/path?query) to read instead."
    )
    host: str = Field("127.0.0.1", min_length=1, description="The address to serve on.")
    port: int = Field(8080, ge=0, le=65535, description="The port to serve on; 0 takes any free one.")
    operator_token: Annotated[str, AfterValidator(_token)] = Field(
        "",
        repr=False,
        description="What a client shows (Authorization: Bearer) to sync, accept, reject, label, roll back or manage"
        " subscriptions through the API; without one nobody can. Sixteen characters or more.",
    )
    public_url: HttpUrl | None = Field(
        None, description="The address users reach the service at, for links in messages; by default its own."
    )
    encryption_key: Annotated[str, AfterValidator(_key)] = Field(
        "",
        repr=False,
        description="What the secrets of subscriptions are sealed with: 32 bytes in Base64; older keys after commas"
        " still open. Without one there are no subscriptions.",
    )
    webhook_networks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (), description="Networks beyond the public Internet that may be told, separated by commas."
    )
    webhook_ports: Annotated[tuple[Port, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (443, 8443), min_length=1, description="Ports that subscribers' addresses may have, separated by commas."
    )
    webhook_http: bool = Field(default=False, description="Whether subscribers may have http addresses.")
    settle_s: int = Field(
        60, ge=0, le=3600, description="Seconds within which the changes of one source are told as one, unless said."
    )
    deliveries_kept: int = Field(50, ge=1, le=1000, description="How many deliveries of each subscription are logged.")
    smtp_url: Annotated[str, AfterValidator(_smtp_url)] | None = Field(
        None,
        repr=False,
        description="The mail server: smtp://user:password@host:587 (STARTTLS where offered) or smtps://.",
    )
    mail_from: Annotated[str, AfterValidator(_mail_from)] = Field(
        "", max_length=200, description="The sender of e-mail."
    )
    addresses: dict[str, HttpUrl] = Field(
        default_factory=dict, description="Addresses to read sources from instead of their own, by source name."
    )
    contact: str = Field(
        "", max_length=200, pattern=r"^[!-~]*$", description="An address or URL of yours, sent in the User-Agent."
    )
    fetch_timeout_s: Seconds = Field(60.0, description="Seconds one request to an upstream may take in all.")
    fetch_idle_timeout_s: Seconds = Field(15.0, description="Seconds an upstream may be silent within a request.")
    fetch_attempts: int = Field(4, ge=1, le=20, description="How often a request is tried in one run.")
    fetch_max_bytes: int = Field(32 << 20, ge=1, description="The largest answer that is read, after decompression.")
    documents_kept: int = Field(12, ge=1, le=1000, description="How many fetched documents of each source are kept.")
    versions_kept: int = Field(
        0, ge=0, le=1_000_000, description="How many live versions keep their content, besides labelled ones; 0: all."
    )
    log_level: Literal["debug", "info", "warning", "error"] | None = Field(
        None, description="What is logged, to stderr; by default info while serving, error in other commands."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="How it is logged; auto: console on a terminal, json elsewhere."
    )


def load_settings(flags: Mapping[str, object], config: Path | None = None) -> Settings:
    """Return the settings: ``flags`` (setting -> value) over the environment over ``config`` over defaults.

    Raises:
        BadParameterError: a value is wrong, ``config`` cannot be read, or holds a key that is no setting.
    """
    table = _read_table(config) if config else {}
    try:
        return _settings_over(table)(**flags)  # type: ignore[arg-type]  # values are checked here, not before
    except ValidationError as error:
        told = [_told(one, flags, table, config) for one in error.errors(include_url=False, include_input=False)]
        raise BadParameterError("; ".join(told), parameter=str(error.errors()[0]["loc"][0])) from None
    except SettingsError as error:  # the one structured variable
        message = f"{PREFIX}ADDRESSES must be a JSON object of source names and addresses: {error.__cause__}"
        raise BadParameterError(message, parameter="addresses") from None


def _read_table(config: Path) -> dict[str, object]:
    try:
        table = tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadParameterError(f"the settings file cannot be read: {error}", parameter="config") from None
    except tomllib.TOMLDecodeError as error:
        raise BadParameterError(f"{config} is not TOML: {error}", parameter="config") from None
    for key in table:
        if key not in Settings.model_fields:
            close = get_close_matches(key, Settings.model_fields, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise BadParameterError(f"{key} is no setting (from {config}){hint}", parameter=key)
    return table


def _settings_over(table: dict[str, object]) -> type[Settings]:
    """Return `Settings` that reads ``table`` below the environment."""

    class Configured(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=table)

    return Configured


def _told(error: ErrorDetails, flags: Mapping[str, object], table: Mapping[str, object], config: Path | None) -> str:
    """Return the sentence for one wrong value; the value itself is left out, it may be a secret."""
    name = str(error["loc"][0])
    path = ".".join(str(part) for part in error["loc"] if part not in ("[key]", "function-after"))
    variable = f"{PREFIX}{name.upper()}"
    if name in flags:
        where = f"--{name.replace('_', '-')}"
    elif variable in os.environ:
        where = variable
    else:
        where = str(config) if name in table else "its default"
    return f"{path}: {error['msg'].removeprefix('Value error, ')} (from {where})"
