"""Settings: which value counts, and what is said about a wrong one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from catalog_service.settings import Settings, load_settings
from schema.errors import BadParameterError


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CATALOG_")]:
        monkeypatch.delenv(name)


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "catalog.toml"
    path.write_text(text)
    return path


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each layer is seen where the ones above it say nothing."""
    config = toml(tmp_path, 'port = 1\nhost = "file"\ncontact = "file"\n')
    monkeypatch.setenv("CATALOG_PORT", "2")
    monkeypatch.setenv("CATALOG_HOST", "environment")
    settings = load_settings({"port": 3}, config)
    assert (settings.port, settings.host, settings.contact) == (3, "environment", "file")
    assert settings.fetch_attempts == Settings.model_fields["fetch_attempts"].default


def test_an_empty_variable_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """``CATALOG_REDIS_URL=`` is how deployments leave a setting out."""
    monkeypatch.setenv("CATALOG_REDIS_URL", "")
    assert load_settings({}).redis_url is None


def test_the_data_directory_follows_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$XDG_DATA_HOME where it is set, the home directory's share otherwise."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load_settings({}).data_dir == tmp_path / "catalog-service"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings({}).data_dir == tmp_path / ".local/share/catalog-service"


def test_paths_are_absolute_and_know_the_home_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a later change of directory nor a tilde loses the data."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"data_dir": "here", "mirror": "~/mirror"})
    assert (settings.data_dir, settings.mirror) == (tmp_path / "here", str(tmp_path / "mirror"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "65536", "65535"),
        ("port", "http", "integer"),
        ("redis_url", "http://host", "Redis address"),
        ("operator_token", "too short", "at least 16"),
        ("operator_token", "long enough but with spaces", "no space"),
        ("mirror", "ftp://host/path", "http or https"),
        ("contact", "two\nlines", "pattern"),
        ("fetch_timeout_s", "0", "greater than 0"),
        ("fetch_max_bytes", "0", "greater than or equal to 1"),
        ("log_level", "loud", "debug"),
        ("mail_from", "nobody", "e-mail address"),
        ("mail_from", "Ops <ops@a.example>\nBcc: x@a.example", "e-mail address"),
        ("webhook_ports", ",", "at least 1"),
    ],
)
def test_a_wrong_value_is_named_with_where_it_came_from(
    name: str, value: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flag, variable and file alike: the message leads to the place to correct."""
    flag = f"--{name.replace('_', '-')}"
    config = toml(tmp_path, f'{name} = """{value}"""\n')
    with pytest.raises(BadParameterError, match=f"{name}: .*{said}.*from {flag}"):
        load_settings({name: value})
    with pytest.raises(BadParameterError, match=f"{name}: .*{said}.*from {config}"):
        load_settings({}, config)
    monkeypatch.setenv(f"CATALOG_{name.upper()}", value)
    with pytest.raises(BadParameterError, match=f"{name}: .*{said}.*from CATALOG_{name.upper()}"):
        load_settings({}, config)


def test_every_wrong_value_is_listed() -> None:
    """One run tells all there is to correct."""
    with pytest.raises(BadParameterError, match=r"mirror: .*; port: "):
        load_settings({"port": -1, "mirror": "ftp://host"})


@pytest.mark.parametrize(
    ("text", "said"),
    [("prot = 1", "prot is no setting .*did you mean port"), ("port = ", "is not TOML"), ("[redis]\nx = 1", "redis")],
)
def test_a_file_that_says_something_unknown_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """A misspelled key never leaves a default in force unnoticed."""
    with pytest.raises(BadParameterError, match=said):
        load_settings({}, toml(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A settings file that was asked for must be read."""
    with pytest.raises(BadParameterError, match="absent.toml"):
        load_settings({}, tmp_path / "absent.toml")


def test_addresses_come_from_a_table_or_from_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one structured setting: a TOML table, over which the variable's JSON object goes by source."""
    config = toml(tmp_path, '[addresses]\na = "https://file/a"\nb = "https://file/b"\n')
    monkeypatch.setenv("CATALOG_ADDRESSES", '{"b": "http://variable/b"}')
    assert load_settings({}, config).addresses == {"a": "https://file/a", "b": "http://variable/b"}
    monkeypatch.setenv("CATALOG_ADDRESSES", "b=http://variable/b")
    with pytest.raises(BadParameterError, match="CATALOG_ADDRESSES must be a JSON object"):
        load_settings({}, config)
    monkeypatch.setenv("CATALOG_ADDRESSES", '{"b": "gopher://b"}')
    with pytest.raises(BadParameterError, match=r"addresses\.b: an http or https address"):
        load_settings({}, config)


def test_a_password_is_not_shown() -> None:
    """Neither in the settings' own text nor in an error."""
    assert "secret" not in repr(load_settings({"redis_url": "redis://:secret@host", "operator_token": "secret" * 4}))
    with pytest.raises(BadParameterError) as caught:
        load_settings({"redis_url": "ftp://:secret@host"})
    assert "secret" not in str(caught.value)


def test_settings_do_not_change() -> None:
    """They are read once and handed around."""
    with pytest.raises(ValidationError, match="frozen"):
        load_settings({}).port = 1
