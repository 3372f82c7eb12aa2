"""Which release this is: told in answers' tags, the contract, metrics, traces, backups and what a parser has read."""

from __future__ import annotations

from importlib.metadata import version

NAME = "catalog-service"
RELEASE = version(NAME)
