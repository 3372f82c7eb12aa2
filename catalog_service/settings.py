"""Settings: flags over ``CATALOG_*`` environment variables over a TOML file over defaults.

In: the flags given, and the TOML file's path. Out: a frozen `Settings`, or an error that names the
setting and where its value came from. Read once a process, by the composition root.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError

from catalog_service.setting_types import (
    File,
    Folder,
    Hosts,
    HttpUrl,
    Keys,
    MailFrom,
    Mirror,
    Networks,
    Origins,
    Ports,
    RedisUrl,
    Seconds,
    SmtpUrl,
    Token,
    default_data_dir,
)
from schema.errors import BadParameterError

PREFIX = "CATALOG_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"


class Settings(BaseSettings):
    """Every setting. The environment variable of ``data_dir`` is ``CATALOG_DATA_DIR``, its TOML key ``data_dir``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    redis_url: RedisUrl | None = Field(
        None,
        repr=False,
        description="A Redis to use: redis://, rediss:// (TLS), unix://, redis+sentinel://host:26379,host:26379/name or"
        " redis+cluster://host:6379,host:6379; without one the embedded server of the data directory serves.",
    )
    redis_username: str = Field("", description="The ACL user of Redis, where the address names none.")
    redis_password: str = Field("", repr=False, description="Its password, where the address has none.")
    redis_sentinel_username: str = Field("", description="The ACL user of the Sentinels, where they have one.")
    redis_sentinel_password: str = Field("", repr=False, description="The password of the Sentinels.")
    redis_tls_ca: File | None = Field(
        None, description="Certificates (PEM) that Redis may show over TLS, besides the system's."
    )
    redis_tls_cert: File | None = Field(None, description="The certificate (PEM) that Redis is shown, where it asks.")
    redis_tls_key: File | None = Field(None, description="Its key (PEM).")
    redis_timeout_s: Seconds = Field(5.0, description="Seconds Redis may take to connect, and for one command.")
    redis_connections: int = Field(
        32, ge=4, le=1000, description="The most connections to Redis; who needs one more waits."
    )
    data_dir: Folder = Field(
        default_factory=default_data_dir,
        description="Where the embedded server keeps its data; by default $XDG_DATA_HOME/catalog-service, "
        "or ~/.local/share/catalog-service.",
    )
    mirror: Mirror | None = Field(
        None, description="A folder or an http(s) address with copies of the sources (host/path?query) to read instead."
    )
    host: str = Field("127.0.0.1", min_length=1, description="The address to serve on.")
    port: int = Field(8080, ge=0, le=65535, description="The port to serve on; 0 takes any free one.")
    grace_s: float = Field(
        10.0, ge=0, le=600, description="Seconds that what is under way has to end in, when asked to stop."
    )
    anonymous_read: bool = Field(default=True, description="Whether the catalogue may be read without a token.")
    operator_token: Token = Field(
        "",
        repr=False,
        description="A token (Authorization: Bearer) that may do everything through the API, to make the first others"
        " with; sixteen characters or more. Without one, and without tokens made by `token create`, nothing can be"
        " changed through it.",
    )
    rate_limit: int = Field(
        6000, ge=0, le=10_000_000, description="Requests a minute of one client, over all replicas; 0: as many as come."
    )
    trusted_proxies: Networks = Field(
        (), description="Networks of proxies whose X-Forwarded-For and -Proto are believed, separated by commas."
    )
    allowed_hosts: Hosts = Field(
        (), description="Host names that requests may be for, separated by commas, *.contoso.example too; none: any."
    )
    cors_origins: Origins = Field(
        (), description="Origins whose pages may read the API from browsers, separated by commas; *: all."
    )
    hsts_s: int = Field(
        31_536_000, ge=0, description="Seconds that browsers are told to insist on TLS, where they came by it; 0: not."
    )
    graphiql: bool = Field(default=True, description="Whether browsers get GraphiQL at /graphql.")
    docs: bool = Field(default=True, description="Whether /docs is there.")
    streams_most: int = Field(
        10_000, ge=1, description="The most streams (SSE, websockets) open at once in a process; more are told to wait."
    )
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="A second port with /metrics, /healthz and /readyz, for workers too; 0: any."
    )
    fresh_s: dict[str, Annotated[int, Field(ge=60)]] = Field(
        default_factory=dict,
        description="Seconds within which what is served of a source is to be confirmed, by source name (60 or more);"
        " by default three times its interval.",
    )
    tracing: bool = Field(
        default=False, description="Whether traces are sent by OpenTelemetry (extra `otel`, OTEL_* variables)."
    )
    public_url: HttpUrl | None = Field(
        None, description="The address users reach the service at, for links in messages; by default its own."
    )
    encryption_key: Keys = Field(
        "",
        repr=False,
        description="What the secrets of subscriptions are sealed with: 32 bytes in Base64; older keys after commas"
        " still open. Without one there are no subscriptions.",
    )
    webhook_networks: Networks = Field(
        (), description="Networks beyond the public Internet that may be told, separated by commas."
    )
    webhook_ports: Ports = Field(
        (443, 8443), min_length=1, description="Ports that subscribers' addresses may have, separated by commas."
    )
    webhook_http: bool = Field(default=False, description="Whether subscribers may have http addresses.")
    settle_s: int = Field(
        60, ge=0, le=3600, description="Seconds within which the changes of one source are told as one, unless said."
    )
    deliveries_kept: int = Field(50, ge=1, le=1000, description="How many deliveries of each subscription are logged.")
    smtp_url: SmtpUrl | None = Field(
        None,
        repr=False,
        description="The mail server: smtp://user:password@host:587 (STARTTLS where offered) or smtps://.",
    )
    mail_from: MailFrom = Field("", max_length=200, description="The sender of e-mail.")
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
    except SettingsError as error:  # a structured variable
        name = "fresh_s" if '"fresh_s"' in str(error) else "addresses"
        what = "seconds" if name == "fresh_s" else "addresses"
        message = f"{PREFIX}{name.upper()} must be a JSON object of source names and {what}: {error.__cause__}"
        raise BadParameterError(message, parameter=name) from None


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
